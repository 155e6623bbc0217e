package org.openapitools.jackson.nullable;

/** In place of jackson-databind-nullable: named in methods that nothing calls. */
public interface JsonNullable<T> {
    boolean isPresent();
    T get();
}
