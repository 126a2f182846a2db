"""The course site: notebooks, documents and API pages, and the course in a browser tab."""
