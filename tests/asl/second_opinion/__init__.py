"""The workflow on an interpreter that isn't the embedded AWS's, with JSONata by the language's own implementation."""
