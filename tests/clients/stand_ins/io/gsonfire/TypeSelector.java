package io.gsonfire;

/** In place of Gson Fire: imported, and not used where no schema has a discriminator. */
public interface TypeSelector<T> {}
