most, count = int(input()), 0
composite = bytearray(most + 1)
for n in range(2, most):
    if composite[n]:
        continue
    count += 1
    m = n * n
    while m < most:
        composite[m] = 1
        m += n
print(count)
