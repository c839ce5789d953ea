"""What the tests of the templates stand on: presets evaluated whole, deployed into moto, read as a network, and mutated."""
