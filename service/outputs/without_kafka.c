/* In place of kafka.c when Picket is built with PICKET_KAFKA=OFF. */
#include <stdio.h>

#include "output.h"

static int kafka_check(const struct picket_output_config *config, char *setting,
                       struct picket_error *error)
{
    (void)config;
    return setting_wrong(setting, "kind", error,
                         "this picket was built without Kafka (PICKET_KAFKA=OFF)");
}

const struct sender kafka_sender = {.check = kafka_check};
