import java.util.stream.Collectors;
import taskservice.*;
import taskservice.api.*;
import taskservice.model.*;

public class Tasks {
    static final ApiClient CLIENT = new ApiClient();

    static {
        CLIENT.updateBaseUri("http://127.0.0.1:8000");
        CLIENT.setRequestInterceptor(
            request -> request.header("Authorization", "Bearer " + System.getenv("TOKEN")));
    }

    static final ChangesApi CHANGES = new ChangesApi(CLIENT);
    static final ListsApi LISTS = new ListsApi(CLIENT);
    static final TasksApi TASKS = new TasksApi(CLIENT);

    static String flag(boolean value) {
        return value ? "True" : "False";
    }

    static String entry(Change change) {
        if (change.getList() != null) {
            return "list " + change.getList().getName();
        }
        if (change.getTask() != null) {
            return "task " + change.getTask().getTitle();
        }
        return change.getKind() + " gone " + flag(change.getGone());
    }

    static String show(String name, SyncPage page) {
        String entries = page.getChanges().isEmpty()
            ? "nothing"
            : page.getChanges().stream().map(Tasks::entry).collect(Collectors.joining(", "));
        String flags = String.format("more %s, full %s", flag(page.getMore()), flag(page.getFull()));
        System.out.printf("%s: %s, %s%n", name, entries, flags);
        return page.getNext();
    }

    public static void main(String[] arguments) throws Exception {
        TaskList food = LISTS.createList("ada", new TaskListCreate().name("Food"), null);
        TaskCreate inFood = new TaskCreate().title("Milk").listId(food.getId());
        Task milk = TASKS.createTask("ada", inFood, null);
        Task bread = TASKS.createTask("ada", new TaskCreate().title("Bread"), null);
        String token = show("lists", CHANGES.listChanges("ada", null, null));
        token = show("tasks", CHANGES.listChanges("ada", token, null));
        token = show("in step", CHANGES.listChanges("ada", token, null));

        TASKS.patchTask("ada", milk.getId(), new TaskPatch().title("Oat milk"), null, null);
        TASKS.deleteTask("ada", bread.getId(), null, null, null);
        token = show("cut", CHANGES.listChanges("ada", token, 1));
        show("rest", CHANGES.listChanges("ada", token, null));

        try {
            CHANGES.listChanges("ada", "altered", null);
        } catch (ApiException error) {
            Problem problem = CLIENT.getObjectMapper().readValue(error.getResponseBody(), Problem.class);
            String parameter = problem.getErrors().get(0).getParameter();
            System.out.printf("refused: %d %s%n", problem.getStatus(), parameter);
        }
    }
}
