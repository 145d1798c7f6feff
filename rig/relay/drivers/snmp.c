/*
 * PDUs and PoE switches by SNMP (net-snmp's library): one SET or GET of one INTEGER, v1 or v2c by
 * community, v3 by user. What is written where, for each kind: snmp_kind.c; `custom` for others.
 *
 * A session of its own for each relay, by the library's single session functions; init_snmp is
 * never called, because it reads the system's and the user's configuration and makes folders. The
 * library writes no log. Opening and closing, and all of v3 (whose tables of users and engines the
 * whole process shares), are done by one thread at a time.
 *
 * An agent says nothing to a wrong community: that looks like no answer.
 */
#include "../drivers.h"
#include "../wire.h"
#include "host.h"
#include "snmp_kind.h"
#include <assert.h>
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HOST,
    PORT,
    KIND,
    VERSION,
    COMMUNITY,
    USER,
    AUTH,
    AUTH_PASSWORD,
    PRIVACY_PASSWORD,
    ON_OID,
    OFF_OID,
    STATE_OID,
    ON,
    OFF,
    STATE_ON,
    STATE_OFF
};
enum { V1, V2C, V3 };
enum { SHA1, SHA256, MD5 };
enum { OUTLET_LAST = 255, PASSPHRASE_MIN = 8 };

static const char *const kind_names[] = {"apc_masterswitch", "apc_rpdu", "raritan", "eaton", "poe",
                                         "custom",           NULL};
static const char *const version_names[] = {"1", "2c", "3", NULL};
static const char *const auth_names[] = {"sha", "sha256", "md5", NULL};

#define INTEGER_SETTING(name, fallback_text, help_text)                                            \
    {                                                                                              \
        .key = (name), .kind = RIG_SETTING_NUMBER, .fallback = (fallback_text), .min = INT32_MIN,  \
        .max = INT32_MAX, .help = (help_text)                                                      \
    }

static const struct rig_setting settings[] = {
    [HOST] = RIG_HOST_NAME,
    [PORT] = RIG_HOST_PORT("161", "UDP port"),
    [KIND] = {.key = "type",
              .kind = RIG_SETTING_CHOICE,
              .required = true,
              .choice = kind_names,
              .help = "which PDU; custom: the objects are said below"},
    [VERSION] = {.key = "version",
                 .kind = RIG_SETTING_CHOICE,
                 .choice = version_names,
                 .help = "of SNMP; without: the type's (APC 1, others 2c)"},
    [COMMUNITY] = {.key = "community",
                   .kind = RIG_SETTING_SECRET,
                   .help = "file with the community that may write; without: private"},
    [USER] = {.key = "user", .kind = RIG_SETTING_TEXT, .help = "v3: name of the user"},
    [AUTH] = {.key = "auth",
              .kind = RIG_SETTING_CHOICE,
              .fallback = "sha",
              .choice = auth_names,
              .help = "v3: hash of the authentication"},
    [AUTH_PASSWORD] = {.key = "auth_password",
                       .kind = RIG_SETTING_SECRET,
                       .help = "v3: file with the authentication's passphrase"},
    [PRIVACY_PASSWORD] = {.key = "privacy_password",
                          .kind = RIG_SETTING_SECRET,
                          .help = "v3: file with the passphrase of AES; without: no encryption"},
    [ON_OID] = {.key = "on_oid",
                .kind = RIG_SETTING_TEXT,
                .help = "custom: object that is set to switch on; {channel} is replaced"},
    [OFF_OID] = {.key = "off_oid",
                 .kind = RIG_SETTING_TEXT,
                 .help = "custom: object that is set to switch off; without: on_oid"},
    [STATE_OID] = {.key = "state_oid",
                   .kind = RIG_SETTING_TEXT,
                   .help = "custom: object that holds the state; without: it can't be read"},
    [ON] = INTEGER_SETTING("on_value", "1", "custom: what is set to switch on"),
    [OFF] = INTEGER_SETTING("off_value", "0", "custom: what is set to switch off"),
    [STATE_ON] = INTEGER_SETTING("state_on", "1", "custom: the state when it is on"),
    [STATE_OFF] = INTEGER_SETTING("state_off", "0", "custom: the state when it is off"),
    {0},
};

struct rig_relay {
    void *session;
    bool shared; /* v3 */
    uint32_t timeout_ms;
    struct rig_snmp_kind kind; /* its OIDs: the table's or `own` */
    char *own[3];
    char peer[256];
};

static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;

static void start_library(void)
{
    static const int off[] = {NETSNMP_DS_LIB_DONT_READ_CONFIGS, NETSNMP_DS_LIB_DONT_PERSIST_STATE,
                              NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD,
                              NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE};
    for (size_t i = 0; i < sizeof off / sizeof *off; i++)
        netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, off[i], 1);
    /* init_usm registers words of a configuration for this application. */
    netsnmp_ds_set_string(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_APPTYPE, "brickyard");
    snmp_disable_log();
    netsnmp_register_loghandler(NETSNMP_LOGHANDLER_NONE, LOG_DEBUG);
    init_usm();
    /* The user without a name needs an engine of ours. */
    setup_engineID(NULL, NULL);
    /* What init_snmp does after reading configuration: the user without a name, of v3's first
     * question, comes to be. */
    snmp_call_callbacks(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_POST_PREMIB_READ_CONFIG, NULL);
}

static void close_pdu(struct rig_relay *relay)
{
    if (!relay)
        return;
    pthread_mutex_lock(&library);
    if (relay->session)
        snmp_sess_close(relay->session);
    pthread_mutex_unlock(&library);
    for (size_t i = 0; i < sizeof relay->own / sizeof *relay->own; i++)
        free(relay->own[i]);
    free(relay);
}

/* ---- Opening ---- */

static int take_custom(struct rig_relay *relay, const struct rig_setting_value *value,
                       char *message, size_t len)
{
    static const int from[] = {ON_OID, OFF_OID, STATE_OID};
    oid parsed[MAX_OID_LEN];
    if (!value[ON_OID].text)
        return rig_port_say(RIG_EOPEN, message, len, "on_oid is missing: type custom needs it");
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        const char *text = value[from[i]].text;
        if (!text)
            continue;
        if (!rig_snmp_oid(parsed, MAX_OID_LEN, text, 1))
            return rig_port_say(RIG_EOPEN, message, len,
                                "%s: not an OID in numbers, as .1.3.6.1.4.1.318.1.{channel}",
                                settings[from[i]].key);
        relay->own[i] = strdup(text);
        if (!relay->own[i])
            return rig_port_say(RIG_EMEMORY, message, len, "no memory");
    }
    relay->kind = (struct rig_snmp_kind){
        .name = "custom",
        .on_oid = relay->own[0],
        .off_oid = relay->own[1] ? relay->own[1] : relay->own[0],
        .state_oid = relay->own[2],
        .on = (int32_t)value[ON].number,
        .off = (int32_t)value[OFF].number,
        .state_on = (int32_t)value[STATE_ON].number,
        .state_off = (int32_t)value[STATE_OFF].number,
    };
    if (relay->kind.state_oid && relay->kind.state_on == relay->kind.state_off)
        return rig_port_say(RIG_EOPEN, message, len, "state_on and state_off are the same");
    return RIG_OK;
}

static bool make_key(u_char *key, size_t *len, const oid *hash, size_t hash_len, const char *phrase)
{
    return strlen(phrase) >= PASSPHRASE_MIN &&
           generate_Ku(hash, (u_int)hash_len, (const u_char *)phrase, strlen(phrase), key, len) ==
               SNMPERR_SUCCESS;
}

/* The keys are in the session's struct, which the library copies. */
static int take_user(struct snmp_session *session, const struct rig_setting_value *value,
                     char *message, size_t len)
{
    static const struct {
        oid *oid;
        size_t len;
    } hashes[] = {
        [SHA1] = {usmHMACSHA1AuthProtocol, 10},
        [SHA256] = {usmHMAC192SHA256AuthProtocol, 10},
        [MD5] = {usmHMACMD5AuthProtocol, 10},
    };
    const char *auth = value[AUTH_PASSWORD].text, *privacy = value[PRIVACY_PASSWORD].text;
    if (!value[USER].text || (privacy && !auth))
        return rig_port_say(RIG_EOPEN, message, len,
                            "version 3 needs user, and auth_password before privacy_password");
    session->securityName = (char *)value[USER].text;
    session->securityNameLen = strlen(value[USER].text);
    session->securityModel = USM_SEC_MODEL_NUMBER;
    session->securityLevel = privacy ? SNMP_SEC_LEVEL_AUTHPRIV
                             : auth  ? SNMP_SEC_LEVEL_AUTHNOPRIV
                                     : SNMP_SEC_LEVEL_NOAUTH;
    const oid *hash = hashes[value[AUTH].number].oid;
    size_t hash_len = hashes[value[AUTH].number].len;
    session->securityAuthProto = (oid *)hash;
    session->securityAuthProtoLen = auth ? hash_len : 0;
    session->securityAuthKeyLen = sizeof session->securityAuthKey;
    session->securityPrivProto = privacy ? usmAESPrivProtocol : NULL;
    session->securityPrivProtoLen = privacy ? 10 : 0;
    session->securityPrivKeyLen = sizeof session->securityPrivKey;
    if ((auth &&
         !make_key(session->securityAuthKey, &session->securityAuthKeyLen, hash, hash_len, auth)) ||
        (privacy && !make_key(session->securityPrivKey, &session->securityPrivKeyLen, hash,
                              hash_len, privacy)))
        return rig_port_say(RIG_EOPEN, message, len, "a passphrase has fewer than %d characters",
                            PASSPHRASE_MIN);
    if (!auth)
        session->securityAuthKeyLen = 0;
    if (!privacy)
        session->securityPrivKeyLen = 0;
    return RIG_OK;
}

static int connect_pdu(struct rig_relay *relay, const struct rig_setting_value *value,
                       char *message, size_t len)
{
    static const long versions[] = {SNMP_VERSION_1, SNMP_VERSION_2c, SNMP_VERSION_3};
    const char *community = value[COMMUNITY].text ? value[COMMUNITY].text : "private";
    int64_t version = value[VERSION].given ? value[VERSION].number : relay->kind.v1 ? V1 : V2C;
    struct snmp_session session;
    snmp_sess_init(&session);
    session.version = versions[version];
    session.peername = relay->peer;
    session.timeout = (long)relay->timeout_ms * 1000;
    session.retries = 0;
    relay->shared = version == V3;
    int error = RIG_OK;
    if (version == V3) {
        error = take_user(&session, value, message, len);
    } else {
        session.community = (u_char *)community;
        session.community_len = strlen(community);
    }
    if (!error && !(relay->session = snmp_sess_open(&session)))
        error = rig_port_say(version == V3 ? RIG_ESILENT : RIG_EOPEN, message, len, "%s: %s",
                             relay->peer, snmp_api_errstring(session.s_snmp_errno));
    explicit_bzero(&session, sizeof session);
    return error;
}

static int open_pdu(struct rig_relay **out, const struct rig_setting_value *value,
                    uint32_t timeout_ms, char *message, size_t len)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    assert(out && value && message);
    *out = NULL;
    struct rig_relay *relay = calloc(1, sizeof *relay);
    if (!relay)
        return rig_port_say(RIG_EMEMORY, message, len, "no memory");
    const char *host = value[HOST].text;
    bool colons = strchr(host, ':') != NULL;
    snprintf(relay->peer, sizeof relay->peer, colons ? "udp6:[%s]:%u" : "%s:%u", host,
             (unsigned)value[PORT].number);
    relay->timeout_ms = timeout_ms;
    int error = RIG_OK;
    if (value[KIND].number == RIG_SNMP_CUSTOM)
        error = take_custom(relay, value, message, len);
    else
        relay->kind = rig_snmp_kinds[value[KIND].number];
    if (!error) {
        pthread_once(&once, start_library);
        pthread_mutex_lock(&library);
        error = connect_pdu(relay, value, message, len);
        pthread_mutex_unlock(&library);
    }
    if (error)
        close_pdu(relay);
    else
        *out = relay;
    return error;
}

/* ---- One exchange ---- */

struct object {
    oid name[MAX_OID_LEN];
    size_t len;
    uint32_t channel;
};

static int name_object(struct object *object, const char *text, uint32_t channel, char *message,
                       size_t len)
{
    *object = (struct object){.channel = channel};
    int error = rig_relay_has(channel, 0, OUTLET_LAST, message, len);
    if (error)
        return error;
    object->len = rig_snmp_oid(object->name, MAX_OID_LEN, text, channel);
    return object->len ? RIG_OK
                       : rig_port_say(RIG_EOPEN, message, len, "%s: not an OID in numbers", text);
}

/* Takes pdu. RIG_OK with *answer, which is freed by snmp_free_pdu. */
static int exchange(struct rig_relay *relay, struct snmp_pdu **answer, struct snmp_pdu *pdu,
                    const struct object *object, char *message, size_t len)
{
    *answer = NULL;
    if (relay->shared)
        pthread_mutex_lock(&library);
    int status = snmp_sess_synch_response(relay->session, pdu, answer);
    int why = 0;
    if (status == STAT_ERROR)
        snmp_sess_error(relay->session, NULL, &why, NULL);
    if (relay->shared)
        pthread_mutex_unlock(&library);
    if (status == STAT_SUCCESS && *answer)
        return RIG_OK;
    if (*answer)
        snmp_free_pdu(*answer);
    *answer = NULL;
    if (status == STAT_TIMEOUT)
        return rig_port_say(RIG_ESILENT, message, len,
                            "%s: no answer for outlet %u within %u ms; the community or user may "
                            "be wrong",
                            relay->peer, object->channel, relay->timeout_ms);
    return rig_port_say(
        why == SNMPERR_AUTHENTICATION_FAILURE || why == SNMPERR_UNKNOWN_USER_NAME ? RIG_EREFUSED
                                                                                  : RIG_EANSWER,
        message, len, "%s: outlet %u: %s", relay->peer, object->channel, snmp_api_errstring(why));
}

/* The one integer of an answer, of this object and no other. */
static int judge(const struct rig_relay *relay, int32_t *number, const struct snmp_pdu *answer,
                 const struct object *object, char *message, size_t len)
{
    const char *peer = relay->peer;
    const struct variable_list *found = answer->variables;
    if (answer->command != SNMP_MSG_RESPONSE)
        return rig_port_say(answer->command == SNMP_MSG_REPORT ? RIG_EREFUSED : RIG_EANSWER,
                            message, len, "%s: outlet %u: %s", peer, object->channel,
                            answer->command == SNMP_MSG_REPORT ? "the user or a passphrase is wrong"
                                                               : "an answer of another kind");
    if (answer->errstat)
        return rig_port_say(RIG_EREFUSED, message, len, "%s: refused outlet %u: %s", peer,
                            object->channel, snmp_errstring((int)answer->errstat));
    if (!found || found->next_variable ||
        snmp_oid_compare(found->name, found->name_length, object->name, object->len) != 0)
        return rig_port_say(RIG_EANSWER, message, len,
                            "%s: an answer for another object than outlet %u's", peer,
                            object->channel);
    if (found->type == SNMP_NOSUCHOBJECT || found->type == SNMP_NOSUCHINSTANCE)
        return rig_port_say(RIG_EREFUSED, message, len, "%s: has no outlet %u", peer,
                            object->channel);
    if (found->type != ASN_INTEGER || !found->val.integer)
        return rig_port_say(RIG_EANSWER, message, len, "%s: outlet %u: no integer", peer,
                            object->channel);
    *number = (int32_t)*found->val.integer;
    return RIG_OK;
}

/* to NULL: read. */
static int ask(struct rig_relay *relay, int32_t *number, const struct object *object,
               const int32_t *to, char *message, size_t len)
{
    struct snmp_pdu *answer, *pdu = snmp_pdu_create(to ? SNMP_MSG_SET : SNMP_MSG_GET);
    if (!pdu)
        return rig_port_say(RIG_EMEMORY, message, len, "no memory");
    long value = to ? *to : 0;
    const struct variable_list *added =
        to ? snmp_pdu_add_variable(pdu, object->name, object->len, ASN_INTEGER, &value,
                                   sizeof value)
           : snmp_add_null_var(pdu, object->name, object->len);
    if (!added) {
        snmp_free_pdu(pdu);
        return rig_port_say(RIG_EMEMORY, message, len, "no memory");
    }
    int error = exchange(relay, &answer, pdu, object, message, len);
    if (error)
        return error;
    error = judge(relay, number, answer, object, message, len);
    snmp_free_pdu(answer);
    return error;
}

static int set(struct rig_relay *relay, uint32_t channel, bool on, char *message, size_t len)
{
    const struct rig_snmp_kind *kind = &relay->kind;
    struct object object;
    int32_t to = on ? kind->on : kind->off, echoed;
    int error = name_object(&object, on ? kind->on_oid : kind->off_oid, channel, message, len);
    return error ? error : ask(relay, &echoed, &object, &to, message, len);
}

static int get(struct rig_relay *relay, bool *on, uint32_t channel, char *message, size_t len)
{
    const struct rig_snmp_kind *kind = &relay->kind;
    struct object object;
    int32_t state;
    if (!kind->state_oid)
        return rig_port_say(RIG_EUNSUPPORTED, message, len, "no state_oid is set");
    int error = name_object(&object, kind->state_oid, channel, message, len);
    if (!error)
        error = ask(relay, &state, &object, NULL, message, len);
    if (error)
        return error;
    bool is_on = state == kind->state_on || (kind->still_on && state == kind->still_on);
    bool is_off = state == kind->state_off || (kind->still_off && state == kind->still_off);
    if (is_on == is_off)
        return rig_port_say(RIG_EANSWER, message, len, "%s: outlet %u is neither on nor off: %d",
                            relay->peer, channel, state);
    *on = is_on;
    return RIG_OK;
}

const struct rig_relay_driver rig_relay_snmp = {
    .name = "snmp",
    .summary = "PDUs and PoE switches by SNMP: APC, Raritan, Eaton, PoE-MIB, others by OID",
    .channel_first = 0,
    .channel_last = OUTLET_LAST,
    .setting = settings,
    .open = open_pdu,
    .close = close_pdu,
    .set = set,
    .get = get,
};
