"""API version 1 of events and photos: views that parse, authorise, call one verb, and answer."""
