// By the C library's functions, which stay as they are from one Zig to the next.
extern fn scanf(format: [*:0]const u8, ...) c_int;
extern fn printf(format: [*:0]const u8, ...) c_int;
extern fn calloc(count: usize, size: usize) ?[*]u8;

pub fn main() u8 {
    var most: u64 = 0;
    if (scanf("%llu", &most) != 1) return 1;
    const composite = calloc(@intCast(most + 1), 1) orelse return 1;
    var count: u64 = 0;
    var n: u64 = 2;
    while (n < most) : (n += 1) {
        if (composite[@intCast(n)] != 0) continue;
        count += 1;
        var m = n * n;
        while (m < most) : (m += n) composite[@intCast(m)] = 1;
    }
    _ = printf("%llu\n", count);
    return 0;
}
