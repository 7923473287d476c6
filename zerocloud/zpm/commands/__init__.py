"""Each command of zpm is a module of this folder, whose ``command`` it is."""
