package io.gsonfire;

import com.google.gson.GsonBuilder;

/** In place of Gson Fire, whose builder adds nothing where no schema has a discriminator. */
public class GsonFireBuilder {
    public GsonBuilder createGsonBuilder() {
        return new GsonBuilder();
    }
}
