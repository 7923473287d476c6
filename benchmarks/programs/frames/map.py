"""Sums of each object's rows by their key, sent on."""

import pandas
import zvm

sums = [pandas.read_csv(path).groupby("station")["amount"].agg(["sum", "count"]) for path in zvm.objects()]
pandas.concat(sums).groupby(level=0).sum().to_csv(zvm.output("reduce"))
