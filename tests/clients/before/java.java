import java.util.UUID;
import taskservice.*;
import taskservice.api.TasksApi;
import taskservice.model.*;

public class Tasks {
    static final ApiClient CLIENT = new ApiClient();

    static void show(String done, Task task) {
        System.out.printf("%s: %s, %s%n", done, task.getTitle(), task.getAdditionalProperty("recurrence"));
    }

    public static void main(String[] arguments) throws ApiException {
        CLIENT.updateBaseUri("http://127.0.0.1:8000");
        CLIENT.setRequestInterceptor(
            request -> request.header("Authorization", "Bearer " + System.getenv("TOKEN")));
        TasksApi tasks = new TasksApi(CLIENT);
        Task task = tasks.listTasks(
            "ada", null, null, null, null, null, null, null, null, null, null,
            null, null, null, null, null, null, null, null, null, null, null).get(0);
        UUID id = task.getId();
        show("listed", task);
        show("got", tasks.getTask("ada", id, null));
        show("patched", tasks.patchTask("ada", id, new TaskPatch().title("Buy milk"), null, null));
        show("updated", tasks.updateTask("ada", id, new TaskUpdate().title("Buy bread"), null, null));
        show("completed", tasks.completeTask("ada", id, null, null, new Completion().completed(true)));
    }
}
