"""The sums of all."""

import sys

import pandas
import zvm

sums = [pandas.read_csv(zvm.input(peer), index_col=0) for peer in zvm.inputs()]
pandas.concat(sums).groupby(level=0).sum().to_csv(sys.stdout)
