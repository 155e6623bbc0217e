import java.util.List;
import taskservice.*;
import taskservice.api.*;
import taskservice.model.*;

public class Tasks {
    static final ApiClient CLIENT = new ApiClient();

    static {
        CLIENT.setBasePath("http://127.0.0.1:8000");
        CLIENT.setBearerToken(System.getenv("TOKEN"));
    }

    static final BatchApi BATCH = new BatchApi(CLIENT);
    static final LabelsApi LABELS = new LabelsApi(CLIENT);
    static final ListsApi LISTS = new ListsApi(CLIENT);
    static final TasksApi TASKS = new TasksApi(CLIENT);

    static String flag(boolean value) {
        return value ? "True" : "False";
    }

    static BatchResult run(Batch batch) throws ApiException {
        return BATCH.runBatch("ada", batch, null);
    }

    static BatchCommand create(BatchTask task) {
        return new BatchCommand().op(BatchCommand.OpEnum.CREATE).task(task.labels(List.of("home")));
    }

    static BatchCommand complete(Task task, String version) {
        return new BatchCommand().op(BatchCommand.OpEnum.COMPLETE).id(task.getId().toString()).ifMatch(version);
    }

    static BatchCommand delete(Task task) {
        return new BatchCommand().op(BatchCommand.OpEnum.DELETE).id(task.getId().toString());
    }

    public static void main(String[] arguments) throws Exception {
        Task milk = TASKS.createTask("ada", new TaskCreate().title("Milk"), null);
        BatchResult atomic = run(new Batch().commands(List.of(
            create(new BatchTask().title("Trip")).ref("trip"),
            create(new BatchTask().title("Tent").parentId("$trip")),
            complete(milk, "\"" + milk.getVersion() + "\""))));
        BatchCommandResult completed = atomic.getResults().get(2);
        Task trip = atomic.getResults().get(0).getTask();
        Task tent = atomic.getResults().get(1).getTask();
        System.out.printf("atomic: %s", flag(atomic.getApplied()));
        for (BatchCommandResult result : atomic.getResults()) System.out.printf(", %d", result.getStatus());
        System.out.printf(", %s", flag(trip.getId().equals(tent.getParentId())));
        System.out.printf(", %s, %s%n", completed.getEtag(), flag(completed.getTask() == null));

        BatchCommand stale = new BatchCommand().op(BatchCommand.OpEnum.UPDATE).id(milk.getId().toString())
            .changes(new BatchChanges().title("Oat milk")).ifMatch(milk.getVersion().toString());
        Batch batch = new Batch().mode(Batch.ModeEnum.EACH).commands(List.of(stale, delete(tent)));
        List<BatchCommandResult> each = run(batch).getResults();
        Problem problem = each.get(0).getProblem();
        String place = problem.getErrors().get(0).getPointer();
        System.out.printf("each: %d, %s, %s", each.get(0).getStatus(), problem.getType(), place);
        BatchCommandResult deleted = each.get(1);
        boolean isGone = deleted.getTask() == null && deleted.getEtag() == null && deleted.getProblem() == null;
        System.out.printf(", %d, %s%n", deleted.getStatus(), flag(isGone));

        BatchResult trial = run(new Batch().dryRun(true).commands(List.of(delete(trip))));
        Task kept = TASKS.getTask("ada", trip.getId(), null);
        String tried = flag(trial.getApplied()) + ", " + trial.getResults().get(0).getStatus();
        System.out.printf("tried: %s, %s%n", tried, flag(kept.equals(trip)));
        try {
            run(new Batch().commands(List.of(create(new BatchTask().title("Map")), complete(trip, "7"))));
        } catch (ApiException error) {
            Problem refused = Problem.fromJson(error.getResponseBody());
            System.out.printf("refused: %d, %s%n", refused.getStatus(), refused.getErrors().get(0).getPointer());
        }

        LabelRename rename = new LabelRename().label("Home")._new("travel");
        RenamedLabel renamed = LABELS.renameLabel("ada", rename, null);
        System.out.printf("renamed: %s, %d, ", renamed.getLabel(), renamed.getOpen());
        System.out.printf("%d, %s%n", renamed.getAll(), flag(renamed.getMore()));
        TaskList food = LISTS.createList("ada", new TaskListCreate().name("Food"), null);
        TASKS.createTask("ada", new TaskCreate().title("Bread").listId(food.getId()), null);
        ListDeletionStep step = LISTS.deleteList("ada", food.getId(), null, null, "delete", 1);
        System.out.printf("step: %d, %s%n", step.getDone(), flag(step.getMore()));
    }
}
