/* Meters:  meter=1,kbps,burst,stats,bands=type=drop,rate=1000,burst_size=100 */
#include "openflow/flow_text.h"

static const struct {
    const char *word;
    enum meter_flags flag;
} flag_words[] = {
    { "kbps", METER_KBPS }, { "pktps", METER_PKTPS }, { "burst", METER_BURST },
    { "stats", METER_STATS },
};

static const struct {
    const char *word;
    enum meter_band_type type;
} band_types[] = {
    { "drop", METER_BAND_DROP }, { "dscp_remark", METER_BAND_DSCP_REMARK },
};

/* "type=" begins a band. */
static int
parse_type(const struct flow_text *ft, struct span value,
           struct meter_mod *mm)
{
    const char *names[ARRAY_SIZE(band_types) + 1] = { NULL };

    if (mm->n_bands == METER_MAX_BANDS) {
        return flow_text_fail(ft, value.s, "more than %d bands",
                              METER_MAX_BANDS);
    }
    for (size_t i = 0; i < ARRAY_SIZE(band_types); i++) {
        if (span_is(value, band_types[i].word)) {
            mm->bands[mm->n_bands++] = (struct meter_band) {
                .type = band_types[i].type
            };
            return 0;
        }
        names[i] = band_types[i].word;
    }
    return flow_text_unknown(ft, value, "band type", names);
}

static int
parse_band_item(const struct flow_text *ft, const struct item *item,
                struct meter_mod *mm)
{
    static const char *const words[] = { "type", "rate", "burst_size",
                                         "prec_level", NULL };
    struct meter_band *band;
    uint64_t number = 0;
    int err;

    if (span_is(item->word, "type")) {
        return parse_type(ft, item->value, mm);
    }
    if (!mm->n_bands) {
        return flow_text_fail(ft, item->word.s, "a band begins with "
                              "type=...");
    }
    band = &mm->bands[mm->n_bands - 1];
    if (span_is(item->word, "rate")) {
        err = flow_text_number(ft, item->value, "rate", UINT32_MAX, &number);
        band->rate = (uint32_t) number;
    } else if (span_is(item->word, "burst_size")) {
        err = flow_text_number(ft, item->value, "burst_size", UINT32_MAX,
                               &number);
        band->burst_size = (uint32_t) number;
    } else if (span_is(item->word, "prec_level")) {
        err = flow_text_number(ft, item->value, "prec_level", UINT8_MAX,
                               &number);
        band->prec_level = (uint8_t) number;
    } else {
        err = flow_text_unknown(ft, item->word, "field of a band", words);
    }
    return err;
}

static int
parse_id(const struct flow_text *ft, struct span value, struct meter_mod *mm)
{
    uint64_t id = OFPM_ALL;
    int err = 0;

    if (span_is(value, "controller") || span_is(value, "slowpath")) {
        id = span_is(value, "controller") ? OFPM_CONTROLLER : OFPM_SLOWPATH;
    } else if (mm->command != METER_MOD_DELETE || !span_is(value, "all")) {
        err = flow_text_number(ft, value, "meter", OFPM_MAX, &id);
        if (!err && !id) {
            err = flow_text_fail(ft, value.s, "meters count from 1");
        }
    }
    mm->id = (uint32_t) id;
    return err;
}

static int
parse_meter_item(const struct flow_text *ft, const struct item *item,
                 struct meter_mod *mm)
{
    static const char *const words[] = { "meter", "kbps", "pktps", "burst",
                                         "stats", "bands", NULL };

    if (span_is(item->word, "meter")) {
        return parse_id(ft, item->value, mm);
    }
    for (size_t i = 0; i < ARRAY_SIZE(flag_words); i++) {
        if (span_is(item->word, flag_words[i].word)) {
            mm->flags |= flag_words[i].flag;
            return flow_text_want_none(ft, item);
        }
    }
    return flow_text_unknown(ft, item->word, "field", words);
}

static int
check_meter(const struct flow_text *ft, struct meter_mod *mm)
{
    if (!mm->id) {
        return flow_text_fail(ft, ft->start, "meter=... is missing");
    }
    if (mm->command == METER_MOD_DELETE) {
        return mm->n_bands || mm->flags
               ? flow_text_fail(ft, ft->start, "a delete names only the meter")
               : 0;
    }
    if (!mm->n_bands) {
        return flow_text_fail(ft, ft->start, "bands=type=... is missing");
    }
    if (!(mm->flags & (METER_KBPS | METER_PKTPS))) {
        mm->flags |= METER_KBPS;
    }
    if ((mm->flags & METER_KBPS) && (mm->flags & METER_PKTPS)) {
        return flow_text_fail(ft, ft->start, "kbps or pktps, not both");
    }
    return 0;
}

int
meter_mod_parse(const char *text, enum meter_mod_command command,
                struct meter_mod *out, struct str *error)
{
    struct flow_text ft = { text, NULL, error, 0, NULL };
    struct span rest = { text, strlen(text) };
    struct meter_mod mm = { .command = command };
    bool in_bands = false;
    struct item item;
    int err;

    while ((err = flow_text_next(&ft, &rest, &item)) > 0) {
        if (!in_bands && item.mark == '='
            && (span_is(item.word, "bands") || span_is(item.word, "band"))) {
            in_bands = true;
            rest.len += (size_t) (rest.s - item.value.s);
            rest.s = item.value.s;
            continue;
        }
        err = in_bands ? parse_band_item(&ft, &item, &mm)
                       : parse_meter_item(&ft, &item, &mm);
        if (err) {
            return err;
        }
    }
    err = err ? err : check_meter(&ft, &mm);
    if (!err) {
        *out = mm;
    }
    return err;
}

static void
format_band(const struct meter_band *band, struct str *s)
{
    for (size_t i = 0; i < ARRAY_SIZE(band_types); i++) {
        if (band_types[i].type == band->type) {
            str_addf(s, "type=%s,rate=%u", band_types[i].word, band->rate);
        }
    }
    if (band->burst_size) {
        str_addf(s, ",burst_size=%u", band->burst_size);
    }
    if (band->prec_level) {
        str_addf(s, ",prec_level=%u", band->prec_level);
    }
}

void
meter_mod_format(const struct meter_mod *mm, struct str *s)
{
    if (mm->id == OFPM_ALL) {
        str_add(s, "meter=all");
    } else if (mm->id == OFPM_CONTROLLER || mm->id == OFPM_SLOWPATH) {
        str_addf(s, "meter=%s", mm->id == OFPM_CONTROLLER ? "controller"
                                                          : "slowpath");
    } else {
        str_addf(s, "meter=%u", mm->id);
    }
    for (size_t i = 0; i < ARRAY_SIZE(flag_words); i++) {
        if (mm->flags & flag_words[i].flag) {
            str_addf(s, ",%s", flag_words[i].word);
        }
    }
    for (unsigned int i = 0; i < mm->n_bands; i++) {
        str_add(s, i ? "," : ",bands=");
        format_band(&mm->bands[i], s);
    }
}
