/*
 * The real servers of a run: mosquitto as the broker and nginx as the artifact store, on free ports
 * of 127.0.0.1, with certificates of their own, in a folder which goes with them. Each is a child
 * with its own process group and is ended by its own process id.
 *
 * Ownership: the caller owns struct sim_servers, which may not be copied while it runs; strings and
 * the accounts' context of a config are borrowed until start returns. Pointers are not NULL unless
 * their line says so. Not thread-safe for one struct. The children die with the THREAD that started
 * them (PR_SET_PDEATHSIG), so start, start again and restart from one that lives as long as they
 * are needed. After SIGKILL of the process no server is left; its folder is. (With several workers
 * the store could be left when that comes in the milliseconds while it starts.) The process must
 * not ignore SIGCHLD, nor reap these children by wait(-1).
 *
 * A client may bind any 127.x.y.z as its own address. Ports lie below the kernel's ephemeral range,
 * so that no client's own port takes one while a server is down. mosquitto's listen backlog is 100:
 * with more connections at the same instant, some come a second later (SYN again).
 *
 * Functions that can fail return enum sim_servers_error and write a sentence to message (len bytes,
 * closed by a NUL): what was wrong, where, and what to do.
 */
#ifndef SIM_SERVERS_H
#define SIM_SERVERS_H

#include "sim/pki.h"
#include <stdbool.h>
#include <sys/types.h>

enum sim_servers_error {
    SIM_SERVERS_OK = 0,
    SIM_SERVERS_ECONFIG = -1,  /* an argument that no server can be started with */
    SIM_SERVERS_EIO = -2,      /* a file or folder; a process that could not be made */
    SIM_SERVERS_ECRYPTO = -3,  /* OpenSSL refused; its reason is in the message */
    SIM_SERVERS_EPROGRAM = -4, /* no such program; the package to install is in the message */
    SIM_SERVERS_EPORT = -5,    /* no free port, or the server's port was taken while it was down */
    SIM_SERVERS_EEXITED = -6, /* it ended by itself; the last lines of its log are in the message */
    SIM_SERVERS_ETIME = -7    /* not ready within 30 s: it was ended; or not saved */
};
const char *sim_servers_error_name(int error);

enum { SIM_ID_MAX = 64, SIM_SECRET_MAX = 65, SIM_URL_MAX = 256, SIM_NAME_MAX = 128 };

/* ------------------------------------------------------------------------ processes */

struct sim_process {
    pid_t pid;                  /* 0: not running */
    const char *name;           /* "mosquitto", "nginx" */
    char log[SIM_PKI_PATH_MAX]; /* its standard output and error, appended over restarts */
    uint64_t log_start;         /* bytes in it before the last start */
};

/* ------------------------------------------------------------------------ broker */

/* ids: 1..63 of A-Z a-z 0-9 . _ -, the first not a dot; not service or observer. secret: 1..64
 * printable ASCII characters. */
struct sim_account {
    char device_id[SIM_ID_MAX];
    char secret[SIM_SECRET_MAX];
};

struct sim_broker_config {
    const char *program; /* NULL: "mosquitto"; a name is searched in PATH, /usr/sbin, ... */
    /* Device index's account, index 0..account_count-1; ids differ. NULL when there is none. */
    void (*account)(void *context, struct sim_account *out, uint32_t index);
    void *context;
    uint32_t account_count;
    const char *service_secret; /* of the users `service` and `observer`; as a device's */
    bool mutual_tls;            /* a second listener, which takes the user from the client's CN */
    bool bad_certificates;      /* a listener for each bad certificate */
    uint32_t autosave_s; /* see sim_broker_kill; 0: saved by stop and by sim_broker_save only */
};

/*
 * MQTT over TLS 1.2 or 1.3. Who may what (mosquitto grants every SUBSCRIBE and filters what it
 * delivers; it acknowledges a forbidden PUBLISH and drops it):
 *
 *   device u   reads ota/notification/u, ota/command/u; writes ota/status/u, telemetry/u,
 *              ota/presence/u (its last will)
 *   service    reads ota/status/+, telemetry/+, ota/presence/+; writes ota/notification/+,
 *              ota/command/+
 *   observer   reads all of these and writes nothing (a test's spy)
 *
 * The listener for client certificates takes every CN that the run's CA signed as the user, with or
 * without an account (service too). Anonymous clients are refused. The client id is replaced by the
 * user name, so no device can take over another's session; and a user has one connection at a time:
 * the newer one wins. Payloads above 65,536 bytes are acknowledged and dropped. A session holds
 * 100,000 queued messages, 100 of them in flight.
 */
struct sim_broker {
    struct sim_process process;
    char program[SIM_PKI_PATH_MAX], folder[SIM_PKI_FOLDER_MAX];
    uint16_t port[SIM_CERT_KINDS]; /* user and secret; by certificate; 0: no such listener */
    uint16_t mutual_port;          /* client certificate; 0: none */
    uint64_t log_offset;           /* of what sim_broker_connected has counted */
    uint64_t connected;
};

/* folder/passwords and folder/acl as sim_broker_start writes them, for a mosquitto elsewhere. Of
 * config: accounts and service_secret. */
int sim_broker_write_access(const struct sim_broker_config *config, const char *folder,
                            char *message, size_t len);

/* Whether sessions, their queues and retained messages outlive a restart. */
enum sim_memory { SIM_MEMORY_KEPT, SIM_MEMORY_LOST };

/*
 * Writes its files into folder (there, empty) and returns when every port accepts. Any error leaves
 * no process. The folder's path is absolute.
 */
int sim_broker_start(struct sim_broker *out, const char *folder, const struct sim_pki *pki,
                     const struct sim_broker_config *config, char *message, size_t len);
/* SIGTERM: the broker publishes the wills of who is connected, saves everything, and ends. SIGKILL
 * after 10 s. Nothing to do when it is not running. */
void sim_broker_stop(struct sim_broker *broker);
/* SIGKILL, a crash: what was not saved is lost. What the next start finds is the state of the last
 * stop, sim_broker_save or autosave, acknowledged messages after it are gone; no will is sent. */
void sim_broker_kill(struct sim_broker *broker);
/* Saves now (SIGUSR1) and returns when the file is complete. SIM_SERVERS_ETIME after 10 s;
 * SIM_SERVERS_EEXITED when it is not running. */
int sim_broker_save(struct sim_broker *broker, char *message, size_t len);
/* After stop or kill: the same ports, accounts and certificates; the log goes on. Lost: the saved
 * file is removed first. Misuse while it runs. */
int sim_broker_start_again(struct sim_broker *broker, enum sim_memory memory, char *message,
                           size_t len);
/* sim_broker_stop, then sim_broker_start_again. */
int sim_broker_restart(struct sim_broker *broker, enum sim_memory memory, char *message,
                       size_t len);
/* False too when it ended by itself, which this call notices; process.pid is then 0. */
bool sim_broker_runs(struct sim_broker *broker);
/* CONNECTs that were accepted since the start, over restarts, as the log tells so far. */
uint64_t sim_broker_connected(struct sim_broker *broker);

/* ------------------------------------------------------------------------ store */

struct sim_store_config {
    const char *program; /* NULL: "nginx" */
    const char *secret;  /* of URLs: 1..64 of A-Z a-z 0-9 */
    uint32_t workers;    /* 0 or 1: one process; more: a master and as many workers */
    bool bad_certificates;
};

/*
 * HTTPS (TLS 1.2 or 1.3), GET and HEAD of files with ranges, by signed URL only: 403 for one
 * without signature, with a changed name or signature, or expired; 404 for no such file. Who is
 * refused is not told why. Connections: half of the hard limit of descriptors, at most 16,384 a
 * worker.
 */
struct sim_store {
    struct sim_process process;
    char program[SIM_PKI_PATH_MAX], folder[SIM_PKI_FOLDER_MAX];
    char secret[SIM_SECRET_MAX];
    uint32_t workers;
    uint16_t port[SIM_CERT_KINDS]; /* by certificate; 0: no such listener */
};

int sim_store_start(struct sim_store *out, const char *folder, const struct sim_pki *pki,
                    const struct sim_store_config *config, char *message, size_t len);
/* Ends it at once (SIGTERM; SIGKILL after 10 s): transfers break off. */
void sim_store_stop(struct sim_store *store);
/* After stop: the same ports, files and log. */
int sim_store_start_again(struct sim_store *store, char *message, size_t len);
bool sim_store_runs(struct sim_store *store);

/* Adds or replaces a file in one step: who is reading goes on with the old one. name: 1..127 of
 * A-Z a-z 0-9 . _ -, the first not a dot. bytes may be NULL when size is 0. */
int sim_store_put(struct sim_store *store, const char *name, const void *bytes, size_t size,
                  char *message, size_t len);

/* https://artifacts.brickyard.test:PORT/name?expires=..&md5=.. for the listener with that
 * certificate, which must exist; good until Unix time expires_s by nginx's clock, which is the real
 * one. name as for put. */
void sim_store_url(const struct sim_store *store, char out[SIM_URL_MAX], enum sim_cert kind,
                   const char *name, int64_t expires_s);

/* The signature of nginx's secure_link_md5 "$secure_link_expires$uri SECRET": base64url. path: the
 * whole one, from its slash on; secret: 1..64 characters. */
enum { SIM_STORE_SIGN_MAX = 25 };
void sim_store_sign(char out[SIM_STORE_SIGN_MAX], const char *path, const char *secret,
                    int64_t expires_s);

/* One line of access.log for each request as it ends, and so broken-off ones too. */
struct sim_store_totals {
    uint64_t requests;
    uint64_t status[600]; /* requests by status; 499: the client went away before the answer */
    uint64_t file_bytes;  /* of bodies sent with 200 or 206, without headers and TLS */
    uint64_t addresses;   /* distinct addresses of clients */
    uint64_t tls13;       /* requests over TLS 1.3 */
};
/* Since the first start, over restarts. A request may be seen ended by the client some microseconds
 * before it is in the log; after sim_store_stop the totals are exact. */
int sim_store_totals(const struct sim_store *store, struct sim_store_totals *out, char *message,
                     size_t len);

/* ------------------------------------------------------------------------ both */

struct sim_servers_config {
    const char *folder;       /* absolute; absent, or empty; NULL: a new one in TMPDIR or /tmp */
    bool keep;                /* the folder stays after stop, to be looked at */
    int64_t now_ms;           /* Unix time, for the certificates */
    uint32_t validity_days;   /* 0: 30 */
    bool no_broker, no_store; /* somebody else's is used: it is not started */
    struct sim_broker_config broker;
    struct sim_store_config store;
};

/* pki/ broker/ store/ are in folder, which is 0700. */
struct sim_servers {
    char folder[SIM_PKI_FOLDER_MAX - 16];
    bool keep;
    struct sim_pki pki;
    struct sim_broker broker;
    struct sim_store store;
};

/* Certificates, broker, store. Any error: everything that was started is ended and the folder is
 * removed, kept or not; out is zeroed. */
int sim_servers_start(struct sim_servers *out, const struct sim_servers_config *config,
                      char *message, size_t len);
/* Ends both, removes the folder unless kept, zeroes the struct. Twice, and zeroed, is allowed. */
void sim_servers_stop(struct sim_servers *servers);

/* A folder with all that is in it, following no link and leaving its file system nowhere. */
void sim_folder_remove(const char *folder);

#endif
