/* cardflow-paper: draws the papers a service asks for, until the service closes the socket.
 *
 * Standard input is a socket that goes both ways; frames as in common/io/printer.c. */
#include "common/paper/draw.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* As in common/io/paper.h and printer.c. */
enum { TEXT_MAX = 64 << 10, PDF_MAX = 4 << 20 };

static bool take(void *to, size_t n)
{
    return n == 0 || recv(STDIN_FILENO, to, n, MSG_WAITALL) == (ssize_t)n;
}

static bool give(const char *bytes, size_t n)
{
    while (n) {
        ssize_t sent = send(STDIN_FILENO, bytes, n, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes += sent;
        n -= (size_t)sent;
    }
    return true;
}

static bool one(char *text, struct cf_buf *pdf)
{
    uint32_t n;
    if (!take(&n, sizeof n)) return false;
    n = __builtin_bswap32(n);
    if (n > TEXT_MAX || !take(text, n)) return false;
    cf_buf_reset(pdf);
    if (!paper_draw((struct cf_str){text, n}, pdf)) cf_buf_reset(pdf);
    uint32_t length = __builtin_bswap32((uint32_t)pdf->len);
    return give((const char *)&length, sizeof length) && give(pdf->ptr, pdf->len);
}

int main(void)
{
    char *text = cf_malloc(TEXT_MAX);
    struct cf_buf pdf;
    cf_buf_init(&pdf, PDF_MAX);
    while (one(text, &pdf))
        ;
    cf_buf_free(&pdf);
    free(text);
    _exit(0); /* fontconfig and pango keep what they have read until the end */
}
