/* How many primes there are below the number that standard input tells: a sieve. The other programs of this folder do the same. */
#include <stdio.h>
#include <stdlib.h>

int main(void) {
    unsigned long most, count = 0;
    if (scanf("%lu", &most) != 1) return 1;
    unsigned char *composite = calloc(most + 1, 1);
    if (!composite) return 1;
    for (unsigned long n = 2; n < most; n++) {
        if (composite[n]) continue;
        count++;
        for (unsigned long m = n * n; m < most; m += n) composite[m] = 1;
    }
    printf("%lu\n", count);
    return 0;
}
