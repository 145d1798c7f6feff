/* The list as text and as JSON. */
#include "list.h"
#include <stdio.h>

static void print_contact(const struct rig_cli_contact *c)
{
    const struct rig_bench_contact *contact = c->contact;
    printf("  %-9s %s channel %u%s", c->name, c->controller->name, contact->channel,
           contact->inverted ? ", inverted" : "");
    if (contact->off_at_least_ms)
        printf(", off at least %u ms", contact->off_at_least_ms);
    if (contact->hold_ms)
        printf(", held %u ms", contact->hold_ms);
    printf("; %s, ", c->controller->driver->get ? "read back" : "not read back");
    if (!c->counted)
        printf("cycles not known\n");
    else if (c->controller->rated_cycles)
        printf("%llu of %llu cycles\n", (unsigned long long)c->cycles,
               (unsigned long long)c->controller->rated_cycles);
    else
        printf("%llu cycles\n", (unsigned long long)c->cycles);
    if (c->worn)
        printf("            warning: over half of its rated cycles; change the relay soon\n");
}

static void print_port(const char *name, const struct rig_cli_port *port)
{
    if (port->wanted)
        printf("  %-9s %s: %s%s\n", name, port->where,
               port->there  ? "there"
               : *port->why ? "not there: "
                            : "not there",
               port->why);
}

void rig_cli_print_board(const struct rig_cli_board *board)
{
    const struct rig_bench_board *b = board->board;
    printf("\n%s", b->name);
    if (b->device_type)
        printf("  %s", b->device_type);
    if (b->hw_revision)
        printf("  %s", b->hw_revision);
    putchar('\n');
    for (uint32_t i = 0; i < board->contacts; i++)
        print_contact(&board->contact[i]);
    print_port("console", &board->console);
    print_port("line", &board->line);
    if (b->flash)
        printf("  %-9s %s, within %u ms, power %s\n", "flash", b->flash[0], b->flash_within_ms,
               b->flash_powered ? "on" : "off");
    if (board->cuts)
        printf("  %-9s %lld.%lld ms from command to loss of power, median of %llu cuts\n",
               "latency", (long long)(board->latency_us / 1000),
               (long long)(board->latency_us % 1000 / 100), (unsigned long long)board->cuts);
    printf("  %-9s %s\n", "in use", *board->owner ? board->owner : "by nobody");
}

static json_t *json_port(const struct rig_cli_port *port)
{
    if (!port->wanted)
        return json_null();
    return json_pack("{s:s, s:b, s:s?}", "where", port->where, "there", (int)port->there, "why",
                     *port->why ? port->why : NULL);
}

static json_t *json_contact(const struct rig_cli_contact *c)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:b, s:b, s:o, s:I, s:b}", "function", c->name,
                     "controller", c->controller->name, "driver", c->controller->driver->name,
                     "channel", (json_int_t)c->contact->channel, "inverted",
                     (int)c->contact->inverted, "read_back", (int)(c->controller->driver->get != 0),
                     "cycles", c->counted ? json_integer((json_int_t)c->cycles) : json_null(),
                     "rated_cycles", (json_int_t)c->controller->rated_cycles, "worn", (int)c->worn);
}

json_t *rig_cli_json_board(const struct rig_cli_board *board)
{
    const struct rig_bench_board *b = board->board;
    json_t *contacts = json_array();
    for (uint32_t i = 0; i < board->contacts; i++)
        json_array_append_new(contacts, json_contact(&board->contact[i]));
    json_t *latency = board->cuts
                          ? json_pack("{s:I, s:I}", "median_us", (json_int_t)board->latency_us,
                                      "cuts", (json_int_t)board->cuts)
                          : json_null();
    return json_pack("{s:s, s:s?, s:s?, s:o, s:o, s:o, s:b, s:s?, s:o}", "name", b->name,
                     "device_type", b->device_type, "hw_revision", b->hw_revision, "contacts",
                     contacts, "console", json_port(&board->console), "line",
                     json_port(&board->line), "can_flash", (int)(b->flash != NULL), "in_use_by",
                     *board->owner ? board->owner : NULL, "latency", latency);
}
