import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import org.eclipse.leshan.core.SecurityMode;
import org.eclipse.leshan.core.request.BindingMode;
import org.eclipse.leshan.core.request.BootstrapDownlinkRequest;
import org.eclipse.leshan.core.request.BootstrapRequest;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.Identity;
import org.eclipse.leshan.core.response.LwM2mResponse;
import org.eclipse.leshan.server.bootstrap.BootstrapConfig;
import org.eclipse.leshan.server.bootstrap.BootstrapFailureCause;
import org.eclipse.leshan.server.bootstrap.BootstrapSession;
import org.eclipse.leshan.server.bootstrap.BootstrapSessionListener;
import org.eclipse.leshan.server.bootstrap.InMemoryBootstrapConfigStore;
import org.eclipse.leshan.server.californium.bootstrap.LeshanBootstrapServer;
import org.eclipse.leshan.server.californium.bootstrap.LeshanBootstrapServerBuilder;

/**
 * Leshan's bootstrap server behind two pipes, because its demo program is not published beside the demo server.
 *
 * <p>Arguments: host and CoAP port. Each line of standard input is one JSON object,
 * {@code {"endpoint":…, "uri":…, "shortId":…, "lifetime":…}}, and becomes the configuration of that endpoint;
 * each line of standard output is one event. The end of the input ends the program.
 */
public final class Bootstrap {

    public static void main(String[] args) throws Exception {
        InMemoryBootstrapConfigStore store = new InMemoryBootstrapConfigStore();
        LeshanBootstrapServerBuilder builder = new LeshanBootstrapServerBuilder();
        builder.setLocalAddress(args[0], Integer.parseInt(args[1]));
        builder.disableSecuredEndpoint();
        builder.setConfigStore(store);
        LeshanBootstrapServer server = builder.build();
        server.addListener(new Reporter());
        server.start();
        print(event("ready"));

        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            JsonObject wanted = JsonParser.parseString(line).getAsJsonObject();
            String endpoint = wanted.get("endpoint").getAsString();
            store.add(endpoint, configuration(wanted));
            print(event("configured", "endpoint", endpoint));
        }
        server.destroy();
    }

    /** What an operator's platform does: forget every account but the one in use, then write a single new one. */
    private static BootstrapConfig configuration(JsonObject wanted) {
        BootstrapConfig.ServerSecurity security = new BootstrapConfig.ServerSecurity();
        security.uri = wanted.get("uri").getAsString();
        security.bootstrapServer = false;
        security.securityMode = SecurityMode.NO_SEC;
        security.serverId = wanted.get("shortId").getAsInt();
        security.clientOldOffTime = 0;

        BootstrapConfig.ServerConfig server = new BootstrapConfig.ServerConfig();
        server.shortId = wanted.get("shortId").getAsInt();
        server.lifetime = wanted.get("lifetime").getAsInt();
        server.binding = EnumSet.of(BindingMode.U);

        BootstrapConfig config = new BootstrapConfig();
        config.contentFormat = ContentFormat.TLV;
        config.toDelete.add("/0");
        config.toDelete.add("/1");
        config.security.put(1, security);
        config.servers.put(0, server);
        return config;
    }

    private static synchronized void print(JsonObject event) {
        System.out.println(event);
        System.out.flush();
    }

    private static JsonObject event(String name, String... pairs) {
        JsonObject event = new JsonObject();
        event.addProperty("event", name);
        for (int i = 0; i < pairs.length; i += 2) {
            event.addProperty(pairs[i], pairs[i + 1]);
        }
        return event;
    }

    /** One event a step, under the name of the step. */
    private static final class Reporter implements BootstrapSessionListener {

        @Override
        public void sessionInitiated(BootstrapRequest request, Identity client) {
            print(event("session", "endpoint", request.getEndpointName(), "peer", client.getPeerAddress().toString()));
        }

        @Override
        public void unAuthorized(BootstrapRequest request, Identity client) {
            print(event("unauthorized", "endpoint", request.getEndpointName()));
        }

        @Override
        public void authorized(BootstrapSession session) {
            report("authorized", session);
        }

        @Override
        public void noConfig(BootstrapSession session) {
            report("no_config", session);
        }

        @Override
        public void sendRequest(BootstrapSession session, BootstrapDownlinkRequest<? extends LwM2mResponse> request) {
            report("sent", session, "request", request.toString());
        }

        @Override
        public void onResponseSuccess(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, LwM2mResponse response) {
            report("answered", session, "request", request.toString(), "code", response.getCode().toString());
        }

        @Override
        public void onResponseError(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, LwM2mResponse response) {
            report("refused", session, "request", request.toString(), "code", response.getCode().toString());
        }

        @Override
        public void onRequestFailure(BootstrapSession session,
                BootstrapDownlinkRequest<? extends LwM2mResponse> request, Throwable cause) {
            report("unanswered", session, "request", request.toString(), "cause", String.valueOf(cause));
        }

        @Override
        public void end(BootstrapSession session) {
            report("finished", session);
        }

        @Override
        public void failed(BootstrapSession session, BootstrapFailureCause cause) {
            report("failed", session, "cause", cause.toString());
        }

        private static void report(String name, BootstrapSession session, String... pairs) {
            JsonObject event = event(name, pairs);
            event.addProperty("endpoint", session.getEndpoint());
            print(event);
        }
    }
}
