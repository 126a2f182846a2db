"""The toolkits that the course uses."""
