import com.google.gson.TypeAdapter;
import com.google.gson.stream.*;
import java.io.IOException;
import java.util.*;
import java.util.stream.Collectors;
import taskservice.*;
import taskservice.api.*;
import taskservice.model.*;

public class Tasks {
    static final ApiClient CLIENT = new ApiClient();

    static {
        CLIENT.setBasePath("http://127.0.0.1:8000");
        CLIENT.setBearerToken(System.getenv("TOKEN"));
    }

    static final TasksApi TASKS = new TasksApi(CLIENT);

    static class Ended extends TaskPatch {}

    static final TypeAdapter<Ended> ENDING = new TypeAdapter<>() {
        @Override
        public void write(JsonWriter out, Ended patch) throws IOException {
            out.jsonValue("{\"recurrence\": null}");
        }

        @Override
        public Ended read(JsonReader in) {
            throw new UnsupportedOperationException("write only");
        }
    };

    static {
        JSON.setGson(JSON.getGson().newBuilder().registerTypeAdapter(Ended.class, ENDING).create());
    }

    static Task complete(Task task, Completion completion) throws ApiException {
        return TASKS.completeTask("ada", task.getId(), null, null, completion);
    }

    static String series(Task task) throws ApiException {
        List<Task> found = TASKS.listTasks(
            "ada", null, null, null, null, null, null, null, "created_at", null, null,
            null, null, null, null, null, null, null, null, null, null, null, task.getSeriesId());
        return found.stream().map(Task::getDue).collect(Collectors.joining(", "));
    }

    static String flag(boolean value) {
        return value ? "True" : "False";
    }

    public static void main(String[] arguments) throws Exception {
        TaskCreate weekly = new TaskCreate()
            .title("Water the plants")
            .due("2096-04-01")
            .recurrence("FREQ=WEEKLY;BYDAY=SU")
            .repeatsFrom(TaskCreate.RepeatsFromEnum.SCHEDULE);
        Task task = TASKS.createTask("ada", weekly, null);
        System.out.printf(
            "created: %s, %s, %s%n", task.getRecurrence(), task.getRepeatsFrom(), task.getOccurrence());

        Task closed = complete(task, new Completion().completed(true).timeZone("Europe/Berlin"));
        System.out.printf("completed: %s, %s%n", closed.getStatus(), closed.getRecurrence());
        Task following = TASKS.getTask("ada", closed.getNextId(), null);
        String isInSeries = flag(task.getId().equals(following.getSeriesId()));
        System.out.printf("successor: %s, %s, %s%n", following.getTitle(), following.getDue(), isInSeries);
        System.out.printf("series: %s%n", series(task));

        Task reopened = complete(task, new Completion().completed(false));
        System.out.printf("reopened: %s, %s%n", reopened.getStatus(), flag(reopened.getNextId() == null));
        System.out.printf("series: %s%n", series(task));
        Task ended = TASKS.patchTask("ada", task.getId(), new Ended(), null, null);
        String hasNone = flag(ended.getOccurrence() == null);
        System.out.printf("ended: %s, %s%n", flag(ended.getRecurrence() == null), hasNone);
    }
}
