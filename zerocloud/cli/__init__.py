"""The command ``zerocloud``: one voice for everything a person does with jobs. Each command is a module of this folder."""
