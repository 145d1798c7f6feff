/* Addresses of given servers. Strict: what is not understood whole is refused, not guessed. */
#include "sim/given.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char digits[] = "0123456789";

static const struct {
    const char *option, *scheme, *form;
    uint16_t port;
} form_of[SIM_GIVEN_KINDS] = {
    [SIM_GIVEN_BROKER] = {"--broker", "mqtts://", "mqtts://HOST[:PORT]", 8883},
    [SIM_GIVEN_STORE] = {"--store", "https://", "https://HOST[:PORT]/[PATH/]", 443},
};

static size_t span(const char *text, const char *more)
{
    size_t len = 0;
    while (text[len] &&
           (strchr(letters, text[len]) || strchr(digits, text[len]) || strchr(more, text[len])))
        len++;
    return len;
}

/* inet_aton takes 127.1, 0x7f000001 and 017700000001 for addresses; a certificate's name does not.
 * So what ends like a number has to be a whole dotted address. */
static bool is_host(const char *host)
{
    struct in_addr address;
    const char *dot = strrchr(host, '.'), *last = dot ? dot + 1 : host;
    if (!*last || *host == '.' || *host == '-' || strstr(host, ".."))
        return false;
    if (strchr(digits, *last))
        return inet_pton(AF_INET, host, &address) == 1;
    return true;
}

static const char *take_host(struct sim_given_server *out, const char **at)
{
    size_t len = span(*at, ".-");
    if (**at == '[')
        return "an IPv6 address; the proxies of a run speak IPv4";
    if (strchr(*at, '@'))
        return "it holds a user; who connects is said by --accounts";
    if (len == 0 || len >= sizeof out->host)
        return "its host is no name and no address";
    snprintf(out->host, sizeof out->host, "%.*s", (int)len, *at);
    *at += len;
    return is_host(out->host) ? NULL : "its host is no name and no address";
}

static const char *take_port(struct sim_given_server *out, const char **at)
{
    if (**at != ':')
        return NULL;
    size_t len = strspn(++*at, digits);
    unsigned long port = len >= 1 && len <= 5 && **at != '0' ? strtoul(*at, NULL, 10) : 0;
    *at += len;
    out->port = (uint16_t)port;
    return port >= 1 && port <= 65535 ? NULL : "its port is no number from 1 to 65535";
}

static const char *take_path(struct sim_given_server *out, const char *at)
{
    size_t len = span(at, "/._~-");
    if (!*at) {
        at = "/";
        len = 1;
    }
    if (at[0] != '/' || at[len])
        return "after host and port a path of letters, digits and . _ ~ - is wanted";
    if (at[len - 1] != '/')
        return "its path does not end with a slash: the images' names follow it";
    if (len >= sizeof out->path)
        return "its path is too long";
    if (strstr(at, "//") || strstr(at, "/./") || strstr(at, "/../"))
        return "its path has an empty or a dot segment";
    snprintf(out->path, sizeof out->path, "%s", at);
    return NULL;
}

static const char *take(struct sim_given_server *out, enum sim_given_kind kind, const char *text)
{
    const char *at = text + strlen(form_of[kind].scheme);
    if (strncmp(text, form_of[kind].scheme, strlen(form_of[kind].scheme)) != 0)
        return "another scheme";
    if (strlen(text) >= sizeof out->url)
        return "it is too long";
    const char *wrong = take_host(out, &at);
    if (!wrong)
        wrong = take_port(out, &at);
    if (!wrong && kind == SIM_GIVEN_STORE)
        wrong = take_path(out, at);
    else if (!wrong && *at && strcmp(at, "/") != 0)
        wrong = "nothing may follow host and port";
    return wrong;
}

int sim_given_parse(struct sim_given_server *out, enum sim_given_kind kind, const char *text,
                    char *message, size_t len)
{
    *out = (struct sim_given_server){.port = form_of[kind].port};
    const char *wrong = take(out, kind, text);
    if (!wrong) {
        snprintf(out->url, sizeof out->url, "%s", text);
        return 0;
    }
    /* Neither a control character nor a secret that was written into it is repeated. */
    char start[121];
    size_t shown = strchr(text, '@') ? 0 : span(text, ":/._~-[]");
    snprintf(start, sizeof start, "%.*s", shown > 120 ? 120 : (int)shown, text);
    snprintf(message, len, "%s %s%s: %s; accepted: %s", form_of[kind].option, start,
             text[strlen(start)] ? "..." : "", wrong, form_of[kind].form);
    *out = (struct sim_given_server){0};
    return -1;
}

bool sim_given_url(const struct sim_given *given, const char *version, int64_t expires_s, char *out,
                   size_t len)
{
    const struct sim_given_server *store = &given->server[SIM_GIVEN_STORE];
    char path[SIM_GIVEN_PATH_MAX + SIM_NAME_MAX], sign[SIM_STORE_SIGN_MAX], query[96] = "";
    snprintf(path, sizeof path, "%sfirmware-%s.bin", store->path, version);
    if (*given->store_secret) {
        sim_store_sign(sign, path, given->store_secret, expires_s);
        snprintf(query, sizeof query, "?expires=%lld&md5=%s", (long long)expires_s, sign);
    }
    int size = snprintf(out, len, "https://%s:%u%s%s", store->host, store->port, path, query);
    return size > 0 && (size_t)size < len;
}
