"""Drawing the bundled sample: openly licensed artwork on natural-looking backgrounds."""
