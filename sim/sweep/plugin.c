/*
 * Loads a device. Each worker gets a copy of its own (dlopen gives the same mapping for the same
 * file, so the file is copied into memory first), and the writable segments are remembered as they
 * were after loading: each boot starts as from reset, static variables too. What would outlive
 * that, or end the host in silence, is refused.
 */
#include "guard.h"
#include "internal.h"
#include "sim/dut_own.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int fail(char *message, size_t len, const char *path, const char *what)
{
    snprintf(message, len, "%s: %s", path, what);
    return -1;
}

/* A file without a name, with the bytes of path. -1: errno. */
static int copy_of(const char *path)
{
    char buffer[65536];
    int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        return -1;
    int to = memfd_create("brickyard-dut", MFD_CLOEXEC);
    ssize_t got = to < 0 ? -1 : 1;
    while (got > 0) {
        got = read(from, buffer, sizeof buffer);
        for (ssize_t put = 0, n; got > 0 && put < got; put += n) {
            n = write(to, buffer + put, (size_t)(got - put));
            if (n < 0) {
                got = -1;
                break;
            }
        }
    }
    close(from);
    if (got < 0 && to >= 0) {
        close(to);
        to = -1;
    }
    return to;
}

/* A bootloader's crc32() or _exit() is its own, whatever the host or its libraries call so. The
 * sanitizers do not bear the flag: there a plugin is to be linked with -Bsymbolic. */
#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#if defined(RTLD_DEEPBIND) && !defined(__SANITIZE_ADDRESS__)
static const int own_names_first = RTLD_DEEPBIND;
#else
static const int own_names_first = 0;
#endif

struct find {
    struct sweep_plugin *plugin;
    ElfW(Addr) base;
};

/* Copies words, also those that a sanitizer put between the variables. */
__attribute__((no_sanitize("address", "undefined"), noinline)) static void
copy_words(uint8_t *to, const uint8_t *from, size_t len)
{
    for (size_t i = 0; i < len; i++)
        ((volatile uint8_t *)to)[i] = from[i];
}

/* Writable segments, without what is made read-only after relocation. */
static int remember(struct dl_phdr_info *info, size_t size, void *ctx)
{
    struct find *find = ctx;
    struct sweep_plugin *plugin = find->plugin;
    uintptr_t relro = 0, relro_end = 0;
    (void)size;
    if (info->dlpi_addr != find->base)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_TLS && info->dlpi_phdr[i].p_memsz)
            plugin->has_thread_locals = true;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO) {
            relro = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            relro_end = relro + info->dlpi_phdr[i].p_memsz;
        }
    for (int i = 0; i < info->dlpi_phnum && plugin->segments < 8; i++) {
        const ElfW(Phdr) *phdr = &info->dlpi_phdr[i];
        if (phdr->p_type != PT_LOAD || !(phdr->p_flags & PF_W))
            continue;
        uintptr_t from = info->dlpi_addr + phdr->p_vaddr, to = from + phdr->p_memsz;
        if (relro_end > from && relro <= from)
            from = relro_end < to ? relro_end : to;
        if (from == to)
            continue;
        uint8_t *initial = malloc(to - from);
        if (!initial)
            return -1;
        copy_words(initial, (const uint8_t *)from, to - from);
        plugin->segment[plugin->segments].at = (uint8_t *)from;
        plugin->segment[plugin->segments].initial = initial;
        plugin->segment[plugin->segments++].len = to - from;
    }
    return 0;
}

/* Symbols that the file asks others for, in its dynamic symbol table; those that it hashes, it has
 * itself. NULL, or the first that a device can't be let call: the host would end, with 0 perhaps.
 */
static const char *find_forbidden(const struct link_map *map)
{
    static const char *const forbidden[] = {"exit", "_exit", "_Exit", "quick_exit"};
    const ElfW(Sym) *symbol = NULL;
    const char *names = NULL;
    const uint32_t *gnu = NULL, *old = NULL;
    for (const ElfW(Dyn) *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
        /* Not every machine's loader has made addresses of these offsets. */
        ElfW(Addr) offset = entry->d_un.d_ptr < map->l_addr ? map->l_addr : 0;
        const void *at = (const void *)(entry->d_un.d_ptr + offset);
        symbol = entry->d_tag == DT_SYMTAB ? at : symbol;
        names = entry->d_tag == DT_STRTAB ? at : names;
        gnu = entry->d_tag == DT_GNU_HASH ? at : gnu;
        old = entry->d_tag == DT_HASH ? at : old;
    }
    uint32_t count = !symbol || !names ? 0 : gnu ? gnu[1] : old ? old[1] : 0;
    for (uint32_t i = 0; i < count; i++)
        for (size_t f = 0; f < sizeof forbidden / sizeof *forbidden; f++)
            if (symbol[i].st_shndx == SHN_UNDEF &&
                strcmp(names + symbol[i].st_name, forbidden[f]) == 0)
                return forbidden[f];
    return NULL;
}

/* What lives outside of RAM, flash and the variables that are set back. */
static int check(struct sweep_plugin *plugin, const struct link_map *map, const char *path,
                 char *message, size_t len)
{
    struct find find = {plugin, map->l_addr};
    const char *forbidden = find_forbidden(map);
    if (forbidden) {
        snprintf(message, len,
                 "%s: calls %s(), which would end the sweep; a bootloader that gives up returns "
                 "with boots = false",
                 path, forbidden);
        return -1;
    }
    if (dl_iterate_phdr(remember, &find))
        return fail(message, len, path, "no memory");
    if (plugin->has_thread_locals)
        return fail(message, len, path, "has thread-local variables, which no reset sets back");
    return 0;
}

static int bind(struct sweep_plugin *out, const char *path, char *message, size_t len)
{
    char name[64];
    struct link_map *map;
    snprintf(name, sizeof name, "/proc/self/fd/%d", out->file);
    out->handle = dlopen(name, RTLD_NOW | RTLD_LOCAL | own_names_first);
    if (!out->handle)
        return fail(message, len, path, dlerror());
    const struct dut *(*device)(void);
    *(void **)&device = dlsym(out->handle, "dut_device");
    if (!device)
        return fail(message, len, path, "is no device under test: it exports no dut_device");
    out->dut = device();
    if (!out->dut || out->dut->abi != DUT_ABI)
        return fail(message, len, path, "is made for another version of sim/dut.h; accepted: 1");
    if (!out->dut->name || !out->dut->factory || !out->dut->boot || !out->dut->run)
        return fail(message, len, path, "a device needs name, factory, boot and run");
    if (out->dut->variants < 1 || out->dut->variants > UINT8_MAX)
        return fail(message, len, path, "names no variants of its factory; accepted: 1 to 255");
    if (dlinfo(out->handle, RTLD_DI_LINKMAP, &map))
        return fail(message, len, path, dlerror());
    return check(out, map, path, message, len);
}

int sweep_plugin_load(struct sweep_plugin *out, const char *path, char *message, size_t len)
{
    memset(out, 0, sizeof *out);
    out->file = -1;
    sweep_guard_name(path);
    if (!path || !*path) {
        out->dut = dut_own_device();
        return 0;
    }
    out->file = copy_of(path);
    if (out->file < 0) {
        snprintf(message, len, "%s: %m", path);
        return -1;
    }
    struct sweep_call host = sweep_guard_enter(NULL, "loading it, or dut_device(),");
    int error = bind(out, path, message, len);
    sweep_guard_leave(host);
    return error;
}

void sweep_plugin_reset(const struct sweep_plugin *plugin)
{
    for (uint32_t i = 0; i < plugin->segments; i++)
        copy_words(plugin->segment[i].at, plugin->segment[i].initial, plugin->segment[i].len);
}

void sweep_plugin_free(struct sweep_plugin *plugin)
{
    for (uint32_t i = 0; i < plugin->segments; i++)
        free(plugin->segment[i].initial);
    if (plugin->handle)
        dlclose(plugin->handle);
    if (plugin->file >= 0)
        close(plugin->file);
    memset(plugin, 0, sizeof *plugin);
    plugin->file = -1;
}
