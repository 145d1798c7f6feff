#include "files.h"
#include "process.h"
#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { ATTEMPTS_MAX = 8, CONNECTIONS_MAX = 16384 };

/* ------------------------------------------------------------------------ configuration */

/* nginx's core module and event module. A connection that sends a file has two descriptors. */
static void write_main(FILE *file, uint32_t workers)
{
    struct rlimit limit = {.rlim_max = 1024};
    getrlimit(RLIMIT_NOFILE, &limit);
    rlim_t most = 2 * CONNECTIONS_MAX + 128;
    unsigned descriptors = (unsigned)(limit.rlim_max < most ? limit.rlim_max : most);
    if (geteuid() == 0)
        fputs("user root;\n", file); /* else the workers become one who may not read the folder */
    fprintf(file,
            "daemon off;\n"
            "master_process %s;\n"
            "worker_processes %u;\n"
            "worker_rlimit_nofile %u;\n"
            "pid nginx.pid;\n"
            "error_log stderr notice;\n"
            "events { worker_connections %u; multi_accept on; }\n",
            workers > 1 ? "on" : "off", workers, descriptors, descriptors / 2);
}

/* Tab-separated; nginx escapes a tab, a quote and what is no printable ASCII inside of a value, so
 * that a client can't forge a field. $uri is without the signature. */
static void write_http(FILE *file)
{
    fputs("http {\n"
          "    log_format line '$msec\\t$status\\t$body_bytes_sent\\t$remote_addr\\t$ssl_protocol"
          "\\t$request_method\\t$uri';\n"
          "    access_log access.log line;\n"
          "    client_body_temp_path temporary;\n"
          "    proxy_temp_path temporary;\n"
          "    fastcgi_temp_path temporary;\n"
          "    uwsgi_temp_path temporary;\n"
          "    scgi_temp_path temporary;\n"
          "    default_type application/octet-stream;\n"
          "    sendfile on;\n"
          "    tcp_nopush on;\n"
          "    tcp_nodelay on;\n"
          "    keepalive_requests 100000;\n"
          "    server_tokens off;\n"
          "    ssl_protocols TLSv1.2 TLSv1.3;\n",
          file);
}

/* ngx_http_secure_link_module: "" is a wrong signature, "0" an expired one. */
static void write_server(FILE *file, const struct sim_store *store, const struct sim_pki *pki,
                         enum sim_cert kind)
{
    char certificate[SIM_PKI_PATH_MAX], key[SIM_PKI_PATH_MAX];
    sim_pki_server_path(pki, certificate, SIM_STORE_NAME, kind, SIM_PEM_CERTIFICATE);
    sim_pki_server_path(pki, key, SIM_STORE_NAME, kind, SIM_PEM_KEY);
    fprintf(file,
            "    server {\n"
            "        listen 127.0.0.1:%u ssl backlog=4096;\n"
            "        server_name " SIM_STORE_NAME ";\n"
            "        ssl_certificate %s;\n"
            "        ssl_certificate_key %s;\n"
            "        root files;\n"
            "        location / {\n"
            "            secure_link $arg_md5,$arg_expires;\n"
            "            secure_link_md5 \"$secure_link_expires$uri %s\";\n"
            "            if ($secure_link = \"\") { return 403; }\n"
            "            if ($secure_link = \"0\") { return 403; }\n"
            "        }\n"
            "    }\n",
            store->port[kind], certificate, key, store->secret);
}

static int write_configuration(const struct sim_store *store, const struct sim_pki *pki,
                               char *message, size_t len)
{
    FILE *file = sim_file_create(store->folder, "nginx.conf", 0600, message, len);
    if (!file)
        return SIM_SERVERS_EIO;
    write_main(file, store->workers);
    write_http(file);
    for (int kind = 0; kind < SIM_CERT_KINDS; kind++)
        if (store->port[kind])
            write_server(file, store, pki, (enum sim_cert)kind);
    fputs("}\n", file);
    return sim_file_close(file, store->folder, "nginx.conf", message, len);
}

/* ------------------------------------------------------------------------ start and stop */

static int launch(struct sim_store *store, char *message, size_t len)
{
    /* Prefix and error log are given here too: before it has read its file, nginx takes those of
     * the system. One process can be killed; of several, the master has to take the others along.
     */
    char *argv[] = {store->program, "-p", store->folder, "-c", "nginx.conf", "-e", "stderr", NULL};
    struct sim_command command = {.name = "nginx",
                                  .program = store->program,
                                  .argv = argv,
                                  .folder = store->folder,
                                  .death_signal = store->workers > 1 ? SIGTERM : SIGKILL};
    size_t count = 1;
    while (count < SIM_CERT_KINDS && store->port[count])
        count++;
    int error = sim_process_start(&store->process, &command, message, len);
    if (!error)
        error = sim_process_await_ports(&store->process, store->port, count, message, len);
    if (error || store->workers == 1)
        return error;
    /* A master that gets SIGTERM between its listen and the loop in which it handles signals
     * forgets it, and would outlive us. Workers are started inside of that loop's protection. */
    return sim_process_await_log(&store->process, "start worker process ", message, len);
}

static int launch_on_free_ports(struct sim_store *store, const struct sim_pki *pki,
                                const struct sim_store_config *config, char *message, size_t len)
{
    int error = SIM_SERVERS_EPORT;
    for (int attempt = 0; error == SIM_SERVERS_EPORT && attempt < ATTEMPTS_MAX; attempt++) {
        size_t listeners = config->bad_certificates ? SIM_CERT_KINDS : 1;
        error = sim_ports_pick(store->port, listeners, message, len);
        if (error)
            return error;
        error = write_configuration(store, pki, message, len);
        if (!error)
            error = launch(store, message, len);
    }
    return error;
}

static int take_secret(struct sim_store *store, const char *secret, char *message, size_t len)
{
    bool good = secret && sim_name_is_plain(secret, SIM_SECRET_MAX - 1);
    for (const char *at = secret; good && *at; at++)
        good = !strchr("._-", *at);
    if (!good)
        return sim_fail(SIM_SERVERS_ECONFIG, message, len,
                        "the store's secret: 1..%d of A-Z a-z 0-9 are wanted", SIM_SECRET_MAX - 1);
    snprintf(store->secret, sizeof store->secret, "%s", secret);
    return SIM_SERVERS_OK;
}

static int make_folders(const struct sim_store *store, char *message, size_t len)
{
    char path[SIM_PKI_PATH_MAX];
    sim_path_join(path, store->folder, "files");
    int error = sim_folder_make(path, message, len);
    sim_path_join(path, store->folder, "temporary");
    return error ? error : sim_folder_make(path, message, len);
}

int sim_store_start(struct sim_store *out, const char *folder, const struct sim_pki *pki,
                    const struct sim_store_config *config, char *message, size_t len)
{
    memset(out, 0, sizeof *out);
    int error = sim_folder_check(folder, message, len);
    if (error)
        return error;
    snprintf(out->folder, sizeof out->folder, "%s", folder);
    out->workers = config->workers ? config->workers : 1;
    error = sim_program_find(out->program, config->program ? config->program : "nginx",
                             "nginx-light", message, len);
    if (!error)
        error = take_secret(out, config->secret, message, len);
    if (!error)
        error = make_folders(out, message, len);
    if (!error)
        error = launch_on_free_ports(out, pki, config, message, len);
    if (error)
        memset(out, 0, sizeof *out);
    return error;
}

void sim_store_stop(struct sim_store *store)
{
    sim_process_stop(&store->process, SIGTERM);
}

int sim_store_start_again(struct sim_store *store, char *message, size_t len)
{
    assert(store->process.pid == 0 && store->program[0]);
    return launch(store, message, len);
}

bool sim_store_runs(struct sim_store *store)
{
    return sim_process_runs(&store->process);
}

/* ------------------------------------------------------------------------ files and URLs */

int sim_store_put(struct sim_store *store, const char *name, const void *bytes, size_t size,
                  char *message, size_t len)
{
    if (!sim_name_is_plain(name, SIM_NAME_MAX - 1))
        return sim_fail(SIM_SERVERS_ECONFIG, message, len,
                        "file \"%.140s\": 1..%d of A-Z a-z 0-9 . _ - are wanted", name,
                        SIM_NAME_MAX - 1);
    FILE *file = sim_file_create(store->folder, "arriving", 0600, message, len);
    if (!file)
        return SIM_SERVERS_EIO;
    if (size)
        fwrite(bytes, 1, size, file);
    int error = sim_file_close(file, store->folder, "arriving", message, len);
    if (error)
        return error;
    char from[SIM_PKI_PATH_MAX], shelf[SIM_PKI_PATH_MAX], to[SIM_PKI_PATH_MAX + SIM_NAME_MAX];
    sim_path_join(from, store->folder, "arriving");
    sim_path_join(shelf, store->folder, "files");
    snprintf(to, sizeof to, "%s/%s", shelf, name);
    if (rename(from, to) != 0)
        return sim_fail(SIM_SERVERS_EIO, message, len, "%s: %s", to, strerror(errno));
    return SIM_SERVERS_OK;
}

/* base64url without padding (RFC 4648 section 5), of 16 bytes: 22 characters. */
void sim_store_sign(char out[SIM_STORE_SIGN_MAX], const char *path, const char *secret,
                    int64_t expires_s)
{
    char text[SIM_URL_MAX + SIM_SECRET_MAX + 32];
    unsigned char digest[EVP_MAX_MD_SIZE];
    int len = snprintf(text, sizeof text, "%lld%s %s", (long long)expires_s, path, secret);
    assert(len > 0 && len < (int)sizeof text);
    int hashed = EVP_Digest(text, (size_t)len, digest, NULL, EVP_md5(), NULL);
    assert(hashed == 1);
    EVP_EncodeBlock((unsigned char *)out, digest, 16);
    out[22] = '\0';
    for (char *at = out; *at; at++)
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
}

void sim_store_url(const struct sim_store *store, char out[SIM_URL_MAX], enum sim_cert kind,
                   const char *name, int64_t expires_s)
{
    assert(kind < SIM_CERT_KINDS && store->port[kind]);
    assert(sim_name_is_plain(name, SIM_NAME_MAX - 1));
    char signed_by[SIM_STORE_SIGN_MAX], path[SIM_NAME_MAX + 1];
    snprintf(path, sizeof path, "/%s", name);
    sim_store_sign(signed_by, path, store->secret, expires_s);
    snprintf(out, SIM_URL_MAX, "https://" SIM_STORE_NAME ":%u/%s?expires=%lld&md5=%s",
             store->port[kind], name, (long long)expires_s, signed_by);
}
