"""From the checked application to what a request runs: tables, policies, statements, forms, endpoints."""
