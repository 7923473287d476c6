import sys

who = " ".join(sys.argv[1:]) or "world"
print(f"Hello, {who}!")
