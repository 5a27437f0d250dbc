import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonPrimitive;
import com.google.gson.JsonSerializer;
import com.google.gson.TypeAdapter;
import com.google.gson.reflect.TypeToken;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonWriter;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.request.BootstrapDeleteRequest;
import org.eclipse.leshan.core.request.BootstrapDiscoverRequest;
import org.eclipse.leshan.core.request.BootstrapDownlinkRequest;
import org.eclipse.leshan.core.request.BootstrapRequest;
import org.eclipse.leshan.core.request.BootstrapWriteRequest;
import org.eclipse.leshan.core.request.Identity;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.server.bootstrap.BootstrapConfig;
import org.eclipse.leshan.server.bootstrap.BootstrapFailureCause;
import org.eclipse.leshan.server.bootstrap.BootstrapSession;
import org.eclipse.leshan.server.bootstrap.BootstrapSessionListener;
import org.eclipse.leshan.server.bootstrap.InMemoryBootstrapConfigStore;
import org.eclipse.leshan.server.bootstrap.InvalidConfigurationException;
import org.eclipse.leshan.server.californium.bootstrap.LeshanBootstrapServer;
import org.eclipse.leshan.server.californium.bootstrap.LeshanBootstrapServerBuilder;

/**
 * Stands in for Leshan's bootstrap server demo, which is not published beside the server demo: the same library, and as
 * much of the demo's options and REST interface as the harness uses.
 *
 * <pre>
 *   -lh HOST -lp PORT          CoAP
 *   -wh HOST -wp PORT          HTTP
 *
 *   GET    /api/bootstrap      every configuration, by endpoint
 *   POST   /api/bootstrap/EP   sets one; 400: it is not valid
 *   DELETE /api/bootstrap/EP   removes one; 404: there is none
 *   GET    /api/event          event stream; a BSSESSION for each step of a session
 * </pre>
 *
 * <p>The demo has its configurations in a file. Here the CoAP port opens with the first one, so that no terminal is
 * refused by a server that has only just begun.
 */
public final class Bootstrap {

    private static final String CONFIGURATIONS = "/api/bootstrap";

    private static final Gson GSON = new GsonBuilder()
            .registerTypeAdapter(byte.class, (JsonSerializer<Byte>) (value, type, gson) ->
                    new JsonPrimitive(value & 0xff))
            .registerTypeAdapter(new TypeToken<EnumSet<BindingMode>>() { }.getType(), new Binding().nullSafe())
            .create();

    private final InMemoryBootstrapConfigStore store = new InMemoryBootstrapConfigStore();
    private final List<OutputStream> listeners = new CopyOnWriteArrayList<>();
    private final LeshanBootstrapServer server;

    public static void main(String[] args) throws IOException {
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i + 1 < args.length; i += 2) {
            options.put(args[i], args[i + 1]);
        }
        new Bootstrap(address(options, "-lh", "-lp")).start(address(options, "-wh", "-wp"));
    }

    private static InetSocketAddress address(Map<String, String> options, String host, String port) {
        return new InetSocketAddress(options.get(host), Integer.parseInt(options.get(port)));
    }

    private Bootstrap(InetSocketAddress coap) {
        LeshanBootstrapServerBuilder builder = new LeshanBootstrapServerBuilder();
        builder.setLocalAddress(coap);
        builder.disableSecuredEndpoint();
        builder.setConfigStore(store);
        server = builder.build();
        server.addListener(new Reporter());
    }

    private void start(InetSocketAddress web) throws IOException {
        HttpServer http = HttpServer.create(web, 0);
        http.createContext(CONFIGURATIONS, this::configure);
        http.createContext("/api/event", this::listen);
        http.start();
    }

    private void configure(HttpExchange exchange) throws IOException {
        String endpoint = exchange.getRequestURI().getPath().substring(CONFIGURATIONS.length()).replaceFirst("^/", "");
        switch (exchange.getRequestMethod()) {
            case "GET" -> {
                exchange.getResponseHeaders().set("Content-Type", "application/json");
                answer(exchange, 200, GSON.toJson(store.getAll()));
            }
            case "POST" -> {
                try (var body = new InputStreamReader(exchange.getRequestBody(), StandardCharsets.UTF_8)) {
                    BootstrapConfig config = GSON.fromJson(body, BootstrapConfig.class);
                    if (config == null) {
                        throw new JsonParseException("no content");
                    }
                    store.add(endpoint, config);
                    server.start();
                    answer(exchange, 200, "");
                } catch (JsonParseException | InvalidConfigurationException invalid) {
                    answer(exchange, 400, invalid.getMessage());
                }
            }
            case "DELETE" -> {
                boolean known = store.remove(endpoint) != null;
                answer(exchange, known ? 204 : 404, known ? "" : "no config for " + endpoint);
            }
            default -> answer(exchange, 405, "");
        }
    }

    private static void answer(HttpExchange exchange, int status, String text) throws IOException {
        byte[] body = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    /** The exchange stays open: what happens from now on is written to it. */
    private synchronized void listen(HttpExchange exchange) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
        exchange.sendResponseHeaders(200, 0);
        listeners.add(exchange.getResponseBody());
    }

    private synchronized void report(String step, String endpoint, String message) {
        JsonObject event = new JsonObject();
        event.addProperty("name", step);
        event.addProperty("endpoint", endpoint);
        event.addProperty("time", System.currentTimeMillis());
        event.addProperty("message", message);
        byte[] text = ("event: BSSESSION\ndata: " + event + "\n\n").getBytes(StandardCharsets.UTF_8);
        for (OutputStream listener : listeners) {
            try {
                listener.write(text);
                listener.flush();
            } catch (IOException gone) {
                listeners.remove(listener);
            }
        }
    }

    /** A binding in JSON is text: "U", "UQ". */
    private static final class Binding extends TypeAdapter<EnumSet<BindingMode>> {

        @Override
        public void write(JsonWriter out, EnumSet<BindingMode> binding) throws IOException {
            out.value(BindingMode.toString(binding));
        }

        @Override
        public EnumSet<BindingMode> read(JsonReader in) throws IOException {
            return BindingMode.parse(in.nextString());
        }
    }

    /** The steps have the names that the demo gives them. */
    private final class Reporter implements BootstrapSessionListener {

        @Override
        public void sessionInitiated(BootstrapRequest request, Identity client) {
            report("new session", request.getEndpointName(), "from " + client.getPeerAddress());
        }

        @Override
        public void unAuthorized(BootstrapRequest request, Identity client) {
            report("unauthorized", request.getEndpointName(), "from " + client.getPeerAddress());
        }

        @Override
        public void authorized(BootstrapSession session) {
            report("authorized", session.getEndpoint(), "");
        }

        @Override
        public void noConfig(BootstrapSession session) {
            report("no config", session.getEndpoint(), "");
        }

        @Override
        public void sendRequest(BootstrapSession session, BootstrapDownlinkRequest<? extends LwM2mResponse> request) {
            String kind = request instanceof BootstrapDeleteRequest ? "delete"
                    : request instanceof BootstrapWriteRequest ? "write"
                    : request instanceof BootstrapDiscoverRequest ? "discover" : "request";
            report("send " + kind, session.getEndpoint(), request.toString());
        }

        @Override
        public void onResponseSuccess(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, LwM2mResponse response) {
            report("receive success response", session.getEndpoint(), response.getCode().toString());
        }

        @Override
        public void onResponseError(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, LwM2mResponse response) {
            report("receive error response", session.getEndpoint(), response.toString());
        }

        @Override
        public void onRequestFailure(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, Throwable cause) {
            report("request failure", session.getEndpoint(), String.valueOf(cause));
        }

        @Override
        public void end(BootstrapSession session) {
            report("finished", session.getEndpoint(), "");
        }

        @Override
        public void failed(BootstrapSession session, BootstrapFailureCause cause) {
            report("failed", session.getEndpoint(), cause.toString());
        }
    }
}
