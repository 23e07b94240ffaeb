"""The staff pages: page models, the templates that turn them into HTML, and the routes that serve them."""
