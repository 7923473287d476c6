/* Never ends by itself. */
int main(void)
{
    for (volatile int turn = 0;; turn = turn + 1)
        ;
}
