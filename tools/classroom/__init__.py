"""The classroom: assignments are handed out, graded and returned."""
