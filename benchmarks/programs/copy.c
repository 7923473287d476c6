/* Copies standard input to standard output. */
#include <unistd.h>

static char buffer[1 << 20];

int main(void)
{
    ssize_t got;
    while ((got = read(0, buffer, sizeof buffer)) > 0)
        for (ssize_t at = 0, put; at < got; at += put)
            if ((put = write(1, buffer + at, got - at)) < 0)
                return 2;
    return got < 0;
}
