"""API version 1 of people: views that parse, authorise, call one verb, and answer."""
