"""``make demo``: a word count as map/reduce over real objects, on a Swift cluster of its own that is gone afterwards."""
