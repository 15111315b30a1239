"""Keys that are composed of other attributes: their templates, their values, and what may be wrong with both."""
