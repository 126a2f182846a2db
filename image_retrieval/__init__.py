"""Content-based image retrieval with deep features: a course's working parts."""
