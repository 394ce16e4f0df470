import { create, createFileRegistry } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";

/** `grpc.health.v1.Health`: the standard service that has a stream and needs no authentication. */
export const HEALTH = createFileRegistry(
  create(FileDescriptorProtoSchema, {
    name: "grpc/health/v1/health.proto",
    package: "grpc.health.v1",
    syntax: "proto3",
    messageType: [
      { name: "HealthCheckRequest", field: [{ name: "service", number: 1, type: Type.STRING, label: Label.OPTIONAL }] },
      { name: "HealthCheckResponse", field: [{ name: "status", number: 1, type: Type.INT32, label: Label.OPTIONAL }] },
    ],
    service: [
      {
        name: "Health",
        method: [
          {
            name: "Watch",
            inputType: ".grpc.health.v1.HealthCheckRequest",
            outputType: ".grpc.health.v1.HealthCheckResponse",
            serverStreaming: true,
          },
        ],
      },
    ],
  }),
  () => undefined,
).getService("grpc.health.v1.Health");
