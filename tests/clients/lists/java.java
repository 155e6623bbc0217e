import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.*;
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

    static final TasksApi TASKS = new TasksApi(CLIENT);
    static final ListsApi LISTS = new ListsApi(CLIENT);
    static TaskList food;
    static Task shop;

    static class Apart extends TaskPatch {
        @Override
        @JsonInclude(JsonInclude.Include.ALWAYS)
        public UUID getListId() {
            return null;
        }

        @Override
        @JsonInclude(JsonInclude.Include.ALWAYS)
        public UUID getParentId() {
            return null;
        }
    }

    static Task create(TaskCreate task) throws ApiException {
        return TASKS.createTask("ada", task, null);
    }

    static List<Task> listed(String list, String parent) throws ApiException {
        return TASKS.listTasks(
            "ada", null, null, null, null, null, null, null, "position", null, null,
            null, null, null, null, null, null, null, null, null, list, parent, null);
    }

    static String titles(String list, String parent) throws ApiException {
        return listed(list, parent).stream().map(Task::getTitle).collect(Collectors.joining(", "));
    }

    static String flag(boolean value) {
        return value ? "True" : "False";
    }

    static String place(Task task) {
        boolean isIn = food.getId().equals(task.getListId());
        boolean isUnder = shop.getId().equals(task.getParentId());
        return String.format("in food %s, under shop %s", flag(isIn), flag(isUnder));
    }

    public static void main(String[] arguments) throws Exception {
        food = LISTS.createList("ada", new TaskListCreate().name("Groceries"), null);
        TaskList work = LISTS.createList("ada", new TaskListCreate().name("Work"), null);
        TaskListMove first = new TaskListMove().place(TaskListMove.PlaceEnum.FIRST);
        LISTS.moveList("ada", work.getId(), first, null, null);
        food = LISTS.patchList("ada", food.getId(), new TaskListPatch().name("Food"), null, null);
        List<String> names = LISTS.listLists("ada").stream().map(TaskList::getName).toList();
        System.out.printf("lists: %s%n", String.join(", ", names));

        create(new TaskCreate().title("Report").listId(work.getId()));
        shop = create(new TaskCreate().title("Shop").listId(food.getId()));
        Task milk = create(new TaskCreate().title("Milk").parentId(shop.getId()));
        Task bread = create(new TaskCreate().title("Bread").parentId(shop.getId()));
        System.out.printf("created: %s, %s%n", milk.getTitle(), place(milk));
        bread = TASKS.moveTask("ada", bread.getId(), new TaskMove().before(milk.getId()), null, null);
        String below = titles(food.getId().toString(), shop.getId().toString());
        boolean isBefore = bread.getPosition().compareTo(milk.getPosition()) < 0;
        System.out.printf("moved: %s, %s%n", below, flag(isBefore));

        milk = TASKS.patchTask("ada", milk.getId(), new TaskPatch().title("Oat milk"), null, null);
        System.out.printf("patched: %s, %s%n", milk.getTitle(), place(milk));
        milk = TASKS.updateTask("ada", milk.getId(), new TaskUpdate().title("Soy milk"), null, null);
        System.out.printf("updated: %s, %s%n", milk.getTitle(), place(milk));
        bread = TASKS.patchTask("ada", bread.getId(), new Apart(), null, null);
        System.out.printf("cleared: %s, %s%n", bread.getTitle(), place(bread));

        try {
            LISTS.deleteList("ada", work.getId(), null, null, null, null);
        } catch (ApiException error) {
            Problem problem = CLIENT.getObjectMapper().readValue(error.getResponseBody(), Problem.class);
            System.out.printf("refused: %d %s%n", problem.getStatus(), problem.getType());
        }
        LISTS.deleteList("ada", work.getId(), null, null, "inbox", null);
        System.out.printf("inbox: %s%n", titles("inbox", "none"));
        TASKS.deleteTask("ada", shop.getId(), null, null, "delete");
        System.out.printf("food: %d%n", listed(food.getId().toString(), null).size());
    }
}
