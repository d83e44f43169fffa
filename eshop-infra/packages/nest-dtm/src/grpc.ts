// What only those import who speak gRPC: `@eshop/nest-dtm/grpc`.
export { workflowService } from './workflow/workflow-service.js';
