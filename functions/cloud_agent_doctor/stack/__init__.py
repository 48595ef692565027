"""The stack against its template: values, the workflow's definition, drift."""
