/* MITRE ATT&CK techniques that findings name: ids to names.
 *
 * Source: attack.mitre.org, Enterprise and ICS matrices.
 * Thread: pure functions.
 */
#ifndef SERVICE_TECHNIQUES_H
#define SERVICE_TECHNIQUES_H

struct technique {
    const char *id;
    const char *name;
    const char *matrix; /* "enterprise", "ics" */
};

/* NULL: no finding names it. */
const struct technique *technique_of(const char *id);

#endif
