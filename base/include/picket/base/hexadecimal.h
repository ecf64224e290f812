/* Hexadecimal digits. Thread: pure functions. */
#ifndef PICKET_BASE_HEXADECIMAL_H
#define PICKET_BASE_HEXADECIMAL_H

/* 0 to 15, of either case; -1: it is no digit. In any locale. */
int picket_hexadecimal_digit(char digit);

#endif
