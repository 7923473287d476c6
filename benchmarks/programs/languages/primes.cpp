#include <iostream>
#include <vector>

int main() {
    unsigned long most, count = 0;
    if (!(std::cin >> most)) return 1;
    std::vector<unsigned char> composite(most + 1);
    for (unsigned long n = 2; n < most; n++) {
        if (composite[n]) continue;
        count++;
        for (unsigned long m = n * n; m < most; m += n) composite[m] = 1;
    }
    std::cout << count << "\n";
}
