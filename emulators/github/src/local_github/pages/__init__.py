"""Server-rendered pages on which a person reads issues and pull requests and drives the demo by hand."""
