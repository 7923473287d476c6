"""``zpm``: packages programs as zapps, and deploys and executes them. A zapp is a tar archive of a program, its files and its
system map; its source is a folder with a ``zapp.yaml``."""
