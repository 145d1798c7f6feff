/*
 * The load generator of the rig's tests: bare metal for the ast1030-evb, no core of ours in it. It
 * programs and erases, notes the probe as the board's NOR driver does, echoes, floods, hangs under
 * the watchdog. Straps gpioA4..A6 choose what; see enum mode.
 *
 * In flash, from LOAD_FROM on, pages in a ring: page p of turn t starts with its number (t * pages
 * + p, from 1 on), the rest is made of that. After a start the highest number tells where to go on.
 */
#include "board/mailbox.h"
#include <stdbool.h>

enum mode { PAGES, PAGES_FAST, IDLE, WATCHDOG, ECHO, FLOOD, RESETS, MIXED };
enum {
    LOAD_FROM = 0x10000,
    PAGE = BOARD_NOR_PAGE,
    PAGES_ALL = (BOARD_NOR_BYTES - LOAD_FROM) / PAGE
};
enum { PROGRAM_US = 700, ERASE_US = 45000, CLOCK_MHZ = 200 };

extern uint32_t load_stack[];
void load_start(void);
static void hang(void);

__attribute__((section(".vectors"), used)) static const uintptr_t vectors[16] = {
    (uintptr_t)load_stack, (uintptr_t)load_start, (uintptr_t)hang, (uintptr_t)hang,
    (uintptr_t)hang,       (uintptr_t)hang,       (uintptr_t)hang};

static volatile uint32_t *reg(uint32_t addr)
{
    return (volatile uint32_t *)(uintptr_t)addr;
}

static void hang(void)
{
    for (;;)
        __asm__ volatile("wfi");
}

static void wait_us(uint32_t us)
{
    volatile uint32_t *csr = reg(0xE000E010), *load = reg(0xE000E014), *now = reg(0xE000E018);
    *load = 0xFFFFFF;
    *csr = 5;
    uint32_t last = *now;
    uint64_t left = (uint64_t)us * CLOCK_MHZ;
    while (left) {
        uint32_t at = *now, gone = (last - at) & 0xFFFFFF;
        last = at;
        left = gone < left ? left - gone : 0;
    }
}

/* ---- Console ---- */

static void put(char c)
{
    while (!(*reg(BOARD_UART_CONSOLE_REGS + 0x14) & 0x20))
        continue;
    *reg(BOARD_UART_CONSOLE_REGS) = (uint8_t)c;
}

static void say(const char *text)
{
    for (; *text; text++)
        put(*text);
}

static void say_number(uint32_t n)
{
    char digits[10];
    int count = 0;
    do
        digits[count++] = (char)('0' + n % 10);
    while (n /= 10);
    while (count)
        put(digits[--count]);
}

/* ---- Flash ---- */

static void chip(uint32_t state)
{
    *reg(BOARD_FMC_REGS + 0x10) = state; /* 0 mapped reads, 3 selected, 7 not selected */
}

static void bus(uint8_t byte)
{
    *(volatile uint8_t *)BOARD_NOR_WINDOW = byte;
}

static void begin(uint32_t kind, uint32_t addr, uint32_t len, const uint8_t *data)
{
    volatile struct board_probe *probe = board_probe();
    probe->kind = kind;
    probe->addr = addr;
    probe->len = len;
    probe->data = (uint32_t)(uintptr_t)data;
    __asm__ volatile("" ::: "memory");
    probe->begun++;
}

static void operate(uint8_t command, uint32_t addr, uint32_t len, const uint8_t *data, uint32_t us)
{
    begin(data ? 1 : 2, addr, len, data);
    chip(3);
    bus(0x06);
    chip(7);
    chip(3);
    bus(command);
    bus((uint8_t)(addr >> 16));
    bus((uint8_t)(addr >> 8));
    bus((uint8_t)addr);
    for (uint32_t i = 0; data && i < len; i++)
        bus(data[i]);
    chip(7);
    wait_us(us);
    chip(0);
    board_probe()->ended++;
}

static void erase(uint32_t addr, bool fast)
{
    operate(0x20, addr, BOARD_NOR_SECTOR, 0, fast ? 0 : ERASE_US);
}

static void fill(uint8_t *page, uint32_t number)
{
    for (uint32_t i = 0; i < PAGE; i++)
        page[i] = (uint8_t)(i < 4 ? number >> 8 * i : number * 7 + i);
}

static uint32_t highest(void)
{
    uint32_t most = 0;
    for (uint32_t p = 0; p < PAGES_ALL; p++) {
        uint32_t number = *reg(BOARD_NOR_WINDOW + LOAD_FROM + p * PAGE);
        if (number != 0xFFFFFFFF && number > most)
            most = number;
    }
    return most;
}

static void pages(uint32_t number, bool fast)
{
    static uint8_t page[PAGE];
    for (;; number++) {
        uint32_t addr = LOAD_FROM + (number - 1) % PAGES_ALL * PAGE;
        if (addr % BOARD_NOR_SECTOR == 0)
            erase(addr, fast);
        fill(page, number);
        operate(0x02, addr, PAGE, page, fast ? 0 : PROGRAM_US);
        say("done ");
        say_number(number);
        put('\n');
    }
}

static uint32_t sum_of_all(void)
{
    uint32_t sum = 1;
    for (uint32_t at = LOAD_FROM; at < BOARD_NOR_BYTES; at += 4)
        sum = sum * 31 + *reg(BOARD_NOR_WINDOW + at);
    return sum;
}

/* Programs of any length within a page, and erases, where chance leads: the flash's own content,
 * so that no life does what the one before did. */
static void mixed(void)
{
    static uint8_t bytes[PAGE];
    uint32_t x = sum_of_all() | 1;
    for (uint32_t i = 0; i < 400; i++) {
        x ^= x << 13, x ^= x >> 17, x ^= x << 5;
        uint32_t at = LOAD_FROM + x % (BOARD_NOR_BYTES - LOAD_FROM), in_page = at % PAGE;
        uint32_t len = 1 + (x >> 20) % (PAGE - in_page);
        if (x % 16 == 0) {
            erase(at & ~(BOARD_NOR_SECTOR - 1U), true);
            continue;
        }
        for (uint32_t b = 0; b < len; b++)
            bytes[b] = (uint8_t)(x >> (b & 7));
        operate(0x02, at, len, bytes, 0);
    }
    say("mixed over\n");
    hang();
}

/* ---- The others ---- */

static void watchdog(uint32_t us)
{
    *reg(BOARD_WDT_REGS + 4) = us;
    *reg(BOARD_WDT_REGS + 8) = 0x4755;
    *reg(BOARD_WDT_REGS + 0xC) = 0x13;
    hang();
}

/* Sleeps until the receiver has something: with interrupts masked, a pending one ends WFI. */
static void echo(void)
{
    uint32_t bit = 1U << BOARD_UART_LINK_IRQ % 32, word = BOARD_UART_LINK_IRQ / 32 * 4;
    __asm__ volatile("cpsid i");
    *reg(0xE000E100 + word) = bit;
    *reg(BOARD_UART_LINK_REGS + 0xC) = 0x83; /* 115,200 baud: the receiver's timeout is of that */
    *reg(BOARD_UART_LINK_REGS) = 1;
    *reg(BOARD_UART_LINK_REGS + 0xC) = 3;
    *reg(BOARD_UART_LINK_REGS + 4) = 1;
    for (;;) {
        if (!(*reg(BOARD_UART_LINK_REGS + 0x14) & 1)) {
            __asm__ volatile("wfi");
            *reg(0xE000E280 + word) = bit;
            continue;
        }
        uint32_t c = *reg(BOARD_UART_LINK_REGS);
        while (!(*reg(BOARD_UART_LINK_REGS + 0x14) & 0x20))
            continue;
        *reg(BOARD_UART_LINK_REGS) = c;
    }
}

static void flood(void)
{
    for (uint32_t line = 0;; line++) {
        for (uint32_t i = 0; i < line * 97 % 3000; i++)
            put((char)(line * 31 + i) == '\n' ? ' ' : (char)(line * 31 + i));
        put('\n');
    }
}

static void reset(void)
{
    wait_us(20000);
    *reg(0xE000ED0C) = 0x05FA0004;
    hang();
}

/* No initialised data: what is static is bss, and that is cleared here. */
extern uint32_t load_bss[], load_bss_end[];

__attribute__((noreturn)) void load_start(void)
{
    for (uint32_t *word = load_bss; word < load_bss_end; word++)
        *word = 0;
    volatile struct board_mailbox *box = board_mailbox();
    bool warm = box->magic == BOARD_MAILBOX_MAGIC;
    box->magic = BOARD_MAILBOX_MAGIC;
    box->boots = warm ? box->boots + 1 : 1;
    *reg(BOARD_FMC_REGS) |= 1U << 16;
    chip(0);
    *reg(BOARD_UART_CONSOLE_REGS + 8) = 7;
    *reg(BOARD_UART_LINK_REGS + 8) = 0xC7; /* FIFO, 14 bytes: QEMU gives so many at once */
    uint32_t straps = *reg(BOARD_GPIO_REGS), last = highest();
    say(warm ? "BOOT warm straps " : "BOOT cold straps ");
    say_number(straps & 0xFF);
    say(" boots ");
    say_number(box->boots);
    say(" last ");
    say_number(last);
    put('\n');
    switch ((enum mode)(straps >> 4 & 7)) {
    case PAGES:
    case PAGES_FAST:
        pages(last + 1, straps >> 4 & 1);
        break;
    case WATCHDOG:
        watchdog(100000);
        break;
    case ECHO:
        echo();
        break;
    case FLOOD:
        flood();
        break;
    case RESETS:
        reset();
        break;
    case MIXED:
        mixed();
        break;
    case IDLE:
        break;
    }
    for (;;)
        __asm__ volatile("wfi");
}
