use std::io::Read;

fn main() {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    let most: usize = text.trim().parse().unwrap();
    let mut composite = vec![0u8; most + 1];
    let mut count = 0;
    for n in 2..most {
        if composite[n] != 0 {
            continue;
        }
        count += 1;
        let mut m = n as u64 * n as u64;
        while m < most as u64 {
            composite[m as usize] = 1;
            m += n as u64;
        }
    }
    println!("{}", count);
}
