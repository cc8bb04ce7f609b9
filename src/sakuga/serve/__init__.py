"""A web page and an HTTP API over the same Stylizer as the command; extra `serve`."""
