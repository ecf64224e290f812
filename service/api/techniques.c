#include "techniques.h"

#include <stddef.h>
#include <string.h>

static const struct technique techniques[] = {
    {"T0869", "Standard Application Layer Protocol", "ics"},
    {"T0885", "Commonly Used Port", "ics"},
    {"T1070", "Indicator Removal", "enterprise"},
    {"T1071", "Application Layer Protocol", "enterprise"},
    {"T1078", "Valid Accounts", "enterprise"},
    {"T1095", "Non-Application Layer Protocol", "enterprise"},
    {"T1098", "Account Manipulation", "enterprise"},
    {"T1110", "Brute Force", "enterprise"},
    {"T1531", "Account Access Removal", "enterprise"},
    {"T1550.001", "Use Alternate Authentication Material: Application Access Token", "enterprise"},
    {"T1562.008", "Impair Defenses: Disable or Modify Cloud Logs", "enterprise"},
};

const struct technique *technique_of(const char *id)
{
    for (size_t i = 0; i < sizeof techniques / sizeof techniques[0]; i++)
        if (strcmp(techniques[i].id, id) == 0)
            return &techniques[i];
    return NULL;
}
