"""What the system costs on AWS at list prices: docs/costs.md, made of the template and of what is written here."""
