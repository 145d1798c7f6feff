#include "rig/server.h"
#include "job.h"
#include "listen.h"
#include "outlet.h"
#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { POOL_BYTES = 8 * 1024, STACK_BYTES = 1024 * 1024, DRAIN_MS = 60 * 1000 };

struct rig_server {
    struct rig_server_config config;
    struct rig_jobs jobs;
    struct rig_token token;
    struct MHD_Daemon *daemon;
    int fd;
    char url[80];
};

struct request {
    char *target; /* NULL: no memory */
    size_t target_len;
    bool begun;   /* its head was seen */
    bool counted; /* among the jobs' running */
    char who[INET6_ADDRSTRLEN];
};

struct answer {
    unsigned status;
    char text[RIG_SERVER_MESSAGE_MAX + 64]; /* its body */
};

static void who_asks(char out[static INET6_ADDRSTRLEN], struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    snprintf(out, INET6_ADDRSTRLEN, "?");
    if (!info || !info->client_addr)
        return;
    const struct sockaddr *a = info->client_addr;
    inet_ntop(a->sa_family,
              a->sa_family == AF_INET6
                  ? (const void *)&((const struct sockaddr_in6 *)(const void *)a)->sin6_addr
                  : (const void *)&((const struct sockaddr_in *)(const void *)a)->sin_addr,
              out, INET6_ADDRSTRLEN);
}

/* The target as it came: the library would give path and arguments already unescaped. */
static void *begins(void *cls, const char *uri, struct MHD_Connection *connection)
{
    struct request *request = calloc(1, sizeof *request);
    (void)cls;
    if (!request)
        return NULL;
    who_asks(request->who, connection);
    request->target_len = strnlen(uri, RIG_SERVER_URL_MAX + 1);
    request->target = strndup(uri, request->target_len);
    return request;
}

static void ends(void *cls, struct MHD_Connection *connection, void **state,
                 enum MHD_RequestTerminationCode how)
{
    struct rig_server *server = cls;
    struct request *request = *state;
    (void)connection;
    (void)how;
    if (request && request->counted)
        rig_jobs_count(&server->jobs, false);
    if (request)
        free(request->target);
    free(request);
    *state = NULL;
}

/* first: pdudaemon's own text, with its line's end or (from its HTTP library) without. */
static void says(struct answer *out, unsigned status, const char *first, const char *more)
{
    out->status = status;
    snprintf(out->text, sizeof out->text, "%s%s%s", first, more, *more ? "\n" : "");
}

/* Bearer as the issue of tokens goes; Basic with any user, for clients that can't set a header but
 * read ~/.netrc (labgrid's requests). */
static bool allowed(const struct rig_server *server, struct MHD_Connection *connection)
{
    static const char bearer[] = "Bearer ";
    const char *header =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION);
    char *user, *password = NULL;
    if (!*server->token.text)
        return true;
    if (!header)
        return false;
    if (!strncasecmp(header, bearer, sizeof bearer - 1))
        return rig_token_is(&server->token, header + sizeof bearer - 1);
    user = MHD_basic_auth_get_username_password(connection, &password);
    bool is = user && rig_token_is(&server->token, password);
    MHD_free(user);
    MHD_free(password);
    return is;
}

/* "evil.example:16421": neither an address nor a name without a dot. */
static bool is_web_name(const char *host)
{
    size_t n = strcspn(host, ":");
    size_t digits = strspn(host, "0123456789.");
    const char *dot = memchr(host, '.', n);
    bool ours = n > sizeof "localhost" && !strncasecmp(host + n - 10, ".localhost", 10);
    return *host != '[' && digits < n && dot && !ours;
}

/* A page of the web makes a browser on this machine ask loopback addresses in its name. Where its
 * own name is said to have such an address, browsers send neither header: the name tells. */
static bool from_a_page(const struct rig_server *server, struct MHD_Connection *connection)
{
    const char *site = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Sec-Fetch-Site");
    const char *host =
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST);
    return (site && strcmp(site, "none")) || (host && !*server->token.text && is_web_name(host)) ||
           MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ORIGIN);
}

static void does(struct rig_server *server, const struct request *request, struct answer *out)
{
    struct rig_query query;
    struct rig_outlet outlet;
    char message[RIG_SERVER_MESSAGE_MAX] = "";
    enum rig_query_outcome outcome =
        rig_query_parse(&query, request->target, request->target_len, message, sizeof message);
    if (outcome == RIG_QUERY_OTHER_PATH) {
        says(out, MHD_HTTP_NOT_FOUND, "404: Not Found", "");
    } else if (outcome == RIG_QUERY_INVALID ||
               !rig_outlet_find(&outlet, server->config.bench, &query, message, sizeof message)) {
        says(out, MHD_HTTP_INTERNAL_SERVER_ERROR, "Invalid request\n", message);
    } else {
        unsigned status = rig_job_do(&server->jobs, &query, &outlet, message, sizeof message);
        says(out, status,
             status == MHD_HTTP_OK                      ? "OK - accepted request\n"
             : status == MHD_HTTP_INTERNAL_SERVER_ERROR ? "Invalid request\n"
                                                        : "",
             message);
    }
}

static void decides(struct rig_server *server, struct MHD_Connection *connection,
                    const char *method, const struct request *request, struct answer *out)
{
    if (!request || !request->target)
        says(out, MHD_HTTP_SERVICE_UNAVAILABLE, "", "out of memory");
    else if (!allowed(server, connection))
        says(out, MHD_HTTP_UNAUTHORIZED, "401: Unauthorized", "");
    else if (from_a_page(server, connection))
        says(out, MHD_HTTP_FORBIDDEN, "403: Forbidden\n",
             "a page in a browser may not switch relays");
    else if (request->target_len > RIG_SERVER_URL_MAX)
        says(out, MHD_HTTP_URI_TOO_LONG, "414: Request-URI Too Long", "");
    else if (strcmp(method, MHD_HTTP_METHOD_GET))
        says(out, MHD_HTTP_METHOD_NOT_ALLOWED, "405: Method Not Allowed", "");
    else
        does(server, request, out);
}

static void logs(const struct rig_server *server, const struct request *request,
                 const struct answer *answer)
{
    char line[RIG_SERVER_URL_MAX + sizeof answer->text + 128];
    if (!server->config.say)
        return;
    int n =
        snprintf(line, sizeof line, "%s \"%s\" %u %s", request ? request->who : "?",
                 request && request->target ? request->target : "", answer->status, answer->text);
    for (int i = 0; i < n; i++) /* one line, whatever a client sent */
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = line[i] == '\n' && i + 1 == n ? '\0' : ' ';
    server->config.say(server->config.ctx, line);
}

static enum MHD_Result answers(void *cls, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *upload,
                               size_t *upload_size, void **state)
{
    struct rig_server *server = cls;
    struct request *request = *state;
    struct answer answer;
    (void)url;
    (void)version;
    (void)upload;
    /* An answer at the first call would end the connection: right for what may have a body. */
    if (request && !request->begun && !strcmp(method, MHD_HTTP_METHOD_GET)) {
        request->begun = true;
        return MHD_YES;
    }
    if (*upload_size)
        return MHD_NO;
    if (request) {
        request->counted = true; /* stop waits until its answer is sent */
        rig_jobs_count(&server->jobs, true);
    }
    decides(server, connection, method, request, &answer);
    logs(server, request, &answer);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(answer.text), answer.text, MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/plain; charset=utf-8");
    if (answer.status == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET");
    /* Who may not ask keeps no connection. */
    if (answer.status == MHD_HTTP_UNAUTHORIZED || answer.status == MHD_HTTP_FORBIDDEN)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    if (answer.status == MHD_HTTP_UNAUTHORIZED) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
        MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Basic realm=\"rig\"");
    }
    enum MHD_Result queued = MHD_queue_response(connection, answer.status, response);
    MHD_destroy_response(response);
    return queued;
}

static int listens(struct rig_server *server, char *message, size_t len)
{
    const struct rig_server_config *config = &server->config;
    bool loopback;
    if (config->token_file && rig_token_read(&server->token, config->token_file, message, len))
        return -1;
    if (rig_listen(&server->fd, &loopback, server->url,
                   config->listen ? config->listen : "127.0.0.1:16421", message, len))
        return -1;
    if (!loopback && !config->token_file) {
        snprintf(message, len,
                 "--listen %s: other machines reach this address, and any of them could switch "
                 "your relays; give --token-file FILE, or listen on 127.0.0.1",
                 config->listen);
        return -1;
    }
    server->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL |
            MHD_USE_ITC,
        0, NULL, NULL, answers, server, MHD_OPTION_LISTEN_SOCKET, server->fd,
        MHD_OPTION_URI_LOG_CALLBACK, begins, server, MHD_OPTION_NOTIFY_COMPLETED, ends, server,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)RIG_SERVER_CONNECTIONS_MAX,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)RIG_SERVER_ADDRESS_MAX,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)STACK_BYTES, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)RIG_SERVER_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES,
        MHD_OPTION_END);
    if (!server->daemon)
        snprintf(message, len, "%s: the HTTP server does not start", server->url);
    return server->daemon ? 0 : -1;
}

int rig_server_start(struct rig_server **out, const struct rig_server_config *config, char *message,
                     size_t len)
{
    struct rig_server *server;
    *out = NULL;
    if (!rig_outlet_names(config->bench, message, len))
        return -1;
    server = calloc(1, sizeof *server);
    if (!server) {
        snprintf(message, len, "out of memory");
        return -1;
    }
    server->config = *config;
    server->fd = -1;
    rig_jobs_init(&server->jobs, &server->config);
    if (listens(server, message, len)) {
        rig_server_stop(server);
        return -1;
    }
    *out = server;
    return 0;
}

void rig_server_stop(struct rig_server *server)
{
    if (!server)
        return;
    if (server->daemon) {
        MHD_quiesce_daemon(server->daemon);
        rig_jobs_end(&server->jobs);
        rig_jobs_drain(&server->jobs, DRAIN_MS);
        MHD_stop_daemon(server->daemon);
    }
    if (server->fd >= 0)
        close(server->fd);
    rig_jobs_free(&server->jobs);
    explicit_bzero(&server->token, sizeof server->token);
    free(server);
}

const char *rig_server_url(const struct rig_server *server)
{
    return server->url;
}
